import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls, type RequestOptions } from "node:https";
import { failure, type Outcome, success } from "../outcome.ts";
import type { AskPlace, Web, WebPage } from "./parts.ts";

/** The most bytes of a page that are read. */
const LONGEST = 4_000_000;

/** Most pages have no more bytes than this. */
const FIRST_ROOM = 65_536;

/** Uses node:http, because fetch() refuses some ports. Proxy variables are ignored. */
export const web: Web = (url, login, withinMs) =>
  got(new URL(url), login === "" ? {} : { auth: login }, withinMs);

/** The kernel reads 0.0.0.0 and [::] as this machine. */
export const askPlace: AskPlace = (place, path, isTls, withinMs) => {
  const where = place.kind === "socket" ? { socketPath: place.path } : { host: place.host, port: place.port };
  const url = new URL(`${isTls ? "https" : "http"}://localhost`);
  return got(url, { ...where, path, rejectUnauthorized: false }, withinMs);
};

async function got(url: URL, options: RequestOptions, withinMs: number): Promise<Outcome<WebPage, string>> {
  try {
    return success(await get(url, options, withinMs));
  } catch (error) {
    return failure(wordsOf(error));
  }
}

function get(url: URL, options: RequestOptions, withinMs: number): Promise<WebPage> {
  const signal = AbortSignal.timeout(Math.max(1, Math.round(withinMs)));
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestTls : requestPlain;
    const sent = request(url, { ...options, signal, agent: false }, (response) => {
      const body = growingBuffer(LONGEST);
      const end = () => {
        resolve(pageOf(response, body.text()));
      };
      response.on("data", (chunk: Buffer) => {
        if (body.takes(chunk)) return;
        end();
        response.destroy();
      });
      response.on("end", end);
      response.on("error", reject);
    });
    // We do not speak the protocol that follows, so the answer ends here.
    sent.on("upgrade", (response, socket) => {
      resolve(pageOf(response, ""));
      socket.destroy();
    });
    sent.on("error", reject);
    // If anything else ends the request, it also ends the wait.
    sent.on("close", () => {
      reject(new Error("the connection was closed without an answer"));
    });
    sent.end();
  });
}

function pageOf({ statusCode = 0, headers }: IncomingMessage, body: string): WebPage {
  const all = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  return { status: statusCode, headers: Object.fromEntries(all) as Record<string, string>, body };
}

/**
 * Collects content that comes in pieces, up to this many bytes. A separate buffer for each piece of one byte would take
 * 100 times as much.
 */
function growingBuffer(most: number) {
  let room = Buffer.alloc(FIRST_ROOM);
  let size = 0;
  return {
    /** Takes the part that fits. Returns whether there is room for more. */
    takes(piece: Buffer): boolean {
      const wanted = Math.min(most, size + piece.length);
      if (wanted > room.length) {
        const larger = Buffer.alloc(Math.min(most, Math.max(wanted, room.length * 2)));
        room.copy(larger, 0, 0, size);
        room = larger;
      }
      piece.copy(room, size, 0, wanted - size);
      size = wanted;
      return size < most;
    },
    text: (): string => room.toString("utf8", 0, size),
  };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The reason of an abort signal is the cause of the error.
  const isLate = [error, error.cause].some((one) => one instanceof Error && one.name === "TimeoutError");
  return isLate ? "no answer in time" : error.message;
}
