import { lookup } from "node:dns";
import { plainAddress } from "../broker/client-list.ts";

/**
 * All addresses of a host name, as `getaddrinfo` returns them. An address resolves to itself. Empty: none was found in
 * time.
 */
export function addressesOf(name: string, withinMs: number): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, withinMs), []);
    lookup(name, { all: true }, (error, found) => {
      clearTimeout(timer);
      resolve(error === null ? [...new Set(found.map(({ address }) => plainAddress(address)))] : []);
    });
  });
}
