import { type Server, type ServerOptions, startServer } from "./server.ts";

/** For tests that run beside each other. A hook of the file cannot know which test's parts to end. */
export interface Own extends AsyncDisposable {
  readonly keep: <Part extends AsyncDisposable>(starting: Promise<Part>) => Promise<Part>;
  readonly server: (options?: ServerOptions) => Promise<Server>;
}

/** Keeps what one test starts, and ends it in reverse order. */
export function owner(): Own {
  const stack = new AsyncDisposableStack();
  const keep: Own["keep"] = async (starting) => stack.use(await starting);
  return {
    keep,
    server: (options = {}) => keep(startServer(options)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
