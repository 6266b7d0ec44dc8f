declare const PAGE_HTML: string;
declare const PAGE_POLICY: string;

/** The page of `serve`: one file that asks for nothing but `events` beside it. build/page.ts makes it. */
export const PAGE = {
  html: PAGE_HTML,
  /** What its Content-Security-Policy has to say: its own style and script by their hashes, and nothing else. */
  policy: PAGE_POLICY,
} as const;
