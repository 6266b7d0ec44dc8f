import type { BrokerFailure } from "../broker/failure.ts";
import type { Origin } from "../cli/options.ts";
import { complaint } from "../cli/usage.ts";
import type { ListenPlace, ListenProblem } from "../machine/parts.ts";
import { sentence } from "./speech.ts";

/** Why `serve` cannot listen, and what to do, in one sentence. */
export function listenSentence(place: ListenPlace, origin: Origin, { cause, detail }: ListenProblem): string {
  const shown = placeWords(place);
  const about = (problem: string) =>
    origin.kind === "default" ? `--listen '${shown}' ${problem}` : complaint(origin, shown, problem);
  switch (cause) {
    case "in-use":
      return about("is in use by another program: end it, or name another with --listen");
    case "forbidden":
      return about(
        `may not be used by this user (${detail}): expected a port from 1024 on, or a writable folder`,
      );
    case "no-address":
      return about(`is not an address of this machine (${detail}): expected 127.0.0.1, or 0.0.0.0 for all`);
    case "no-folder":
      return about("is in a folder that does not exist: create it, or name another with --listen");
    case "occupied":
      return about("is a file, not a socket: remove it, or name another path with --listen");
    case "tls":
      return `--http-cert and --http-key cannot be used (${detail}): expected a certificate and its key in PEM`;
    case "other":
      return about(`cannot be listened on (${detail})`);
    default:
      return cause satisfies never;
  }
}

/** A place in the format of `--listen`. */
export function placeWords(place: ListenPlace): string {
  return place.kind === "socket" ? place.path : `${bracketed(place.host)}:${place.port}`;
}

/** Why verdicts cannot be shared. */
export function sharingSentence({ cause, detail }: BrokerFailure): string {
  const fact = `verdicts are not shared, so checks with --accept-shared ask the workers: ${sentence(detail)}`;
  return cause === "no-permission"
    ? `${fact}; hint: give its user +time +multi +exec +del +hset +hdel +expire ~celery-probe.verdicts.*`
    : fact;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
