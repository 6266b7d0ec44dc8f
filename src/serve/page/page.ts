/** The page of `serve`, which asks for nothing else. */
export const PAGE = {
  html:
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>celery-probe</title><h1>celery-probe</h1>' +
    '<p><a href="api/v1/workers">Workers</a>, <a href="api/v1/queues">queues</a>, <a href="metrics">metrics</a></p></html>\n',
  /** What its Content-Security-Policy has to say. */
  policy: "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
} as const;
