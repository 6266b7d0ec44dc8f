import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { page } from "../../build/page.ts";
import type { Fleet } from "../../src/serve/page/script/fleet.ts";

/** The page as `serve` sends it, with fleets that a test makes up. */
export interface ScriptedServe extends AsyncDisposable {
  readonly url: string;
  /** Sends a fleet to every open page, and to each new one. */
  readonly tell: (fleet: Fleet) => void;
  /** Ends all streams and refuses new ones, until `return` is called. */
  readonly vanish: () => void;
  readonly return: () => void;
}

export async function startScriptedServe(first: Fleet | null): Promise<ScriptedServe> {
  const { PAGE_HTML, PAGE_POLICY } = await page();
  const [html, policy] = [PAGE_HTML, PAGE_POLICY].map((text) => JSON.parse(text) as string);
  const streams = new Set<ServerResponse>();
  let newest = first;
  let isHere = true;
  const event = (fleet: Fleet) => `event: fleet\ndata: ${JSON.stringify(fleet)}\n\n`;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://localhost").pathname;
    if (path === "/") {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.setHeader("content-security-policy", policy ?? "");
      response.end(html);
    } else if (path === "/events" && isHere) {
      response.setHeader("content-type", "text/event-stream; charset=utf-8");
      response.flushHeaders();
      if (newest !== null) response.write(event(newest));
      streams.add(response);
      response.on("close", () => streams.delete(response));
    } else {
      response.statusCode = path === "/events" ? 502 : 404;
      response.end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    tell(fleet) {
      newest = fleet;
      for (const stream of streams) stream.write(event(fleet));
    },
    vanish() {
      isHere = false;
      for (const stream of streams) stream.destroy();
    },
    return() {
      isHere = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
