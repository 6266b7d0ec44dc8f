import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { failure, success } from "../outcome.ts";
import { bindTo } from "./bind.ts";
import { connectionLimit, type ConnectionLimit } from "./connection-limit.ts";
import type { HttpAnswer, HttpRequest, HttpServer, HttpStream } from "./parts.ts";

// Node's defaults are for pages that people load. Probes come every few seconds for years. A client that keeps a
// connection open or sends slowly must not keep any probe out. All times are in milliseconds.

const BOUNDS = {
  /** A request whose headers, or whole content, have not arrived by then is answered with 408. */
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  /** By default, Node checks these limits only every 30 s. */
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  /** Bytes of a request line and its headers together. A longer request is answered with 431. */
  maxHeaderSize: 8_192,
} as const;

/**
 * Without this limit, Node waits two minutes for a client that opens a connection and never starts the TLS handshake.
 */
const TLS_BOUNDS = { ...BOUNDS, handshakeTimeout: BOUNDS.headersTimeout } as const;

/** The most requests on one connection. */
const MOST_REQUESTS = 1_000;

/** A client that reads nothing of an answer for this long loses its connection at the second check. */
const UNREAD_MS = 5_000;

/** Streams send at least a comment every 15 s. A client that did not read two of them is gone. */
const STREAM_UNREAD_MS = 35_000;

export const httpServer: HttpServer = {
  async listen(place, tls, answer) {
    let server: Server;
    try {
      server =
        tls === null
          ? createServer(BOUNDS)
          : (await import("./https-server.ts")).createTlsServer({ ...TLS_BOUNDS, ...tls });
    } catch (error) {
      return failure({ cause: "tls", detail: error instanceof Error ? error.message : String(error) });
    }
    server.timeout = UNREAD_MS;
    server.maxRequestsPerSocket = MOST_REQUESTS;
    const limit = connectionLimit(server);
    const respond = (request: IncomingMessage, response: ServerResponse) => {
      limit.touch(request.socket);
      give(answer(requestOf(request)), request, response, limit);
    };
    server.on("request", respond);
    // It is answered like any other request. By then the client has been told not to send its body.
    server.on("checkContinue", respond);
    const bound = await bindTo(server, place, tls === null ? "http" : "https");
    if (!bound.ok) {
      const { cause, detail } = bound.problem;
      // Bun reads a certificate only at this point.
      return failure({ cause: tls !== null && cause === "other" ? "tls" : cause, detail });
    }
    return success({
      shown: bound.value,
      close() {
        server.close();
        server.closeAllConnections();
        limit.close();
      },
    });
  },
};

function requestOf({ method = "", url = "", headers }: IncomingMessage): HttpRequest {
  const single = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return { method, target: url, headers: Object.fromEntries(single) as Record<string, string> };
}

/** Answers after which the connection is closed, because nothing else that the client sends is worth reading. */
function endsConnection(status: number, { headers }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  return hasBody || (status >= 400 && status !== 404 && status !== 503);
}

function give(
  { status, headers, body }: HttpAnswer,
  request: IncomingMessage,
  response: ServerResponse,
  limit: ConnectionLimit,
): void {
  // The client has gone, so nobody can receive the error.
  response.on("error", () => undefined);
  if (endsConnection(status, request)) response.setHeader("connection", "close");
  const isStream = typeof body === "function";
  response.writeHead(status, isStream ? headers : { ...headers, "content-length": body.length });
  if (request.method === "HEAD") response.end();
  else if (isStream) startStream(body, request.socket, response, limit);
  else response.end(body);
}

function startStream(
  open: (stream: HttpStream) => () => void,
  socket: Socket,
  response: ServerResponse,
  limit: ConnectionLimit,
): void {
  let next: Uint8Array | null = null;
  let isBehind = false;
  const send = (bytes: Uint8Array) => {
    if (response.destroyed) return;
    if (isBehind) {
      next = bytes;
      return;
    }
    isBehind = true;
    response.write(bytes, () => {
      isBehind = false;
      const newest = next;
      next = null;
      if (newest !== null) send(newest);
    });
  };
  socket.setTimeout(STREAM_UNREAD_MS);
  limit.keep(socket);
  const ended = open({ send, isBehind: () => isBehind });
  response.on("close", ended);
}
