declare const PAGE_HTML: string;
declare const PAGE_POLICY: string;

/** The page of `serve`: one file that loads only `events` from the same folder. build/page.ts builds it. */
export const PAGE = {
  html: PAGE_HTML,
  /** Its Content-Security-Policy. It allows the page's own style and script by their hashes, and nothing else. */
  policy: PAGE_POLICY,
} as const;
