import { EVERYTHING, type Sort, SORTS, type Wish } from "./order.ts";
import { STATUSES } from "./fleet.ts";

/** What the page's address asks for. So a filter can be kept as a bookmark or sent to a colleague. */
export function keptWish(): Wish {
  const asked = new URLSearchParams(location.search);
  const sort = asked.get("sort") ?? "";
  return {
    words: asked.get("filter") ?? "",
    status: STATUSES.find((status) => status === asked.get("status")) ?? null,
    sort: Object.hasOwn(SORTS, sort) ? (sort as Sort) : EVERYTHING.sort,
    isReversed: asked.has("reversed"),
  };
}

/** Writes the wish into the address. The browser's history does not change. */
export function keepWish({ words, status, sort, isReversed }: Wish): void {
  const asked = new URLSearchParams();
  if (words !== "") asked.set("filter", words);
  if (status !== null) asked.set("status", status);
  if (sort !== EVERYTHING.sort) asked.set("sort", sort);
  if (isReversed) asked.set("reversed", "");
  const query = asked.toString();
  history.replaceState(null, "", `${location.pathname}${query === "" ? "" : `?${query}`}${location.hash}`);
}
