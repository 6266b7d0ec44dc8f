import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** A page in a browser, with all its error messages. */
export interface Visit {
  readonly page: Page;
  /** Errors of the console, of the script and of the policy, in order. */
  readonly complaints: readonly string[];
}

/**
 * Debian's browser, without a window. In tests it runs as root, where its sandbox does not work.
 *
 * @param env variables in addition to this process' own
 */
export function startBrowser(env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  return chromium.launch({
    env: { ...process.env, ...env },
    executablePath: "/usr/bin/chromium",
    chromiumSandbox: false,
    args: ["--disable-gpu", "--disable-dev-shm-usage"],
  });
}

/** Opens an address in a new window. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit & AsyncDisposable> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== "data:" && asked.origin !== new URL(url).origin)
      complaints.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
