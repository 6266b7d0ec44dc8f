import type { FlowerFacts } from "../../doctor/facts/flower.ts";
import { amount, names } from "../speech.ts";
import type { WordsOf } from "./words.ts";

export const FLOWER_WORDS: WordsOf<FlowerFacts> = {
  flower(facts, level) {
    const { url } = facts;
    switch (facts.kind) {
      case "lists": {
        const { online, answering, missing } = facts;
        const here = `${url} has ${amount(online, "worker")} online, and ${answering} ${answering === 1 ? "answers" : "answer"} here`;
        if (level !== "warning") return { seen: here, next: null };
        return {
          seen: `${here}; it misses ${names(missing)}`,
          next: "does it use the same broker and database? it hears workers by their events: send some with -E, or wait a minute",
        };
      }
      case "login":
        return {
          seen: `${url} wants a login${facts.isGiven ? ", and not the one it was given" : " (basic auth, or another)"}`,
          next: "http://[user:password@]host in --flower, or FLOWER_BASIC_AUTH=user:password",
        };
      case "other":
        return {
          seen: `${url} answers with status ${facts.status}${facts.location === null ? "" : `, which leads to ${facts.location}`}, and not as Flower does`,
          next: "is that Flower's address? with --url_prefix the prefix belongs to it",
        };
      case "unreachable":
        return {
          seen: `${url} cannot be reached: ${facts.detail}`,
          next: "is Flower running, and is this its address, with http or https as it speaks?",
        };
      default:
        return facts satisfies never;
    }
  },
};
