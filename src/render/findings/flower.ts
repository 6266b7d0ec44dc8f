import type { FlowerFacts } from "../../doctor/facts/flower.ts";
import { amount, names } from "../speech.ts";
import type { WordsOf } from "./words.ts";

const LOGIN = "name it as http://USER:PASSWORD@HOST in --flower, or set FLOWER_BASIC_AUTH=USER:PASSWORD";
const PAGE = "the doctor cannot sign in: name Flower's own address behind the login, or use --basic_auth";
const MISSING =
  "does it use the same broker and database? it hears events: send some with -E, or wait a minute";
const ADDRESS = "is this Flower's address, with the right one of http and https, and with its --url_prefix?";

export const FLOWER_WORDS: WordsOf<FlowerFacts> = {
  flower({ url, ...facts }, level) {
    if (facts.kind === "unusable") return { seen: `${url} cannot be asked: ${facts.detail}`, next: ADDRESS };
    if (facts.kind === "login") {
      const other = facts.isGiven ? ", and refused the given one" : "";
      if (facts.by === "basic") return { seen: `${url} wants a login (basic auth)${other}`, next: LOGIN };
      return { seen: `${url} wants people to sign in (OAuth, or a login proxy)`, next: PAGE };
    }
    const here = `${url} has ${amount(facts.online, "worker")} online; ${facts.answering} answering here`;
    if (level !== "warning") return here;
    return { seen: `${here}; missing: ${names(facts.missing)}`, next: MISSING };
  },
};
