import { type Server, type ServerOptions, startServer } from "./server.ts";

/** For tests that run beside each other: no hook of the file could tell whose parts it ends. */
export interface Own extends AsyncDisposable {
  readonly keep: <Part extends AsyncDisposable>(starting: Promise<Part>) => Promise<Part>;
  readonly server: (options?: ServerOptions) => Promise<Server>;
}

/** What one test starts, and ends in reverse order. */
export function owner(): Own {
  const stack = new AsyncDisposableStack();
  const keep: Own["keep"] = async (starting) => stack.use(await starting);
  return {
    keep,
    server: (options = {}) => keep(startServer(options)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
