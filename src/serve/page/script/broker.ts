import { since } from "./ages.ts";
import { element, icon, part, set, write } from "./element.ts";
import { type Fact, showFacts } from "./facts.ts";
import type { WorkersReport } from "./fleet.ts";
import { amount, age, count, milliseconds } from "./words.ts";

/** The broker, and the state of the rounds of questions. */
export function brokerPart(): (report: WorkersReport) => void {
  const sign = icon();
  const word = element("span", "word");
  const url = element("span", "url");
  const trouble = element("p", "fact");
  const changed = since();
  const lasting = element("span", "ago", "since ", changed.root);
  const facts = element("dl", "facts");
  const state = element("p", "state", sign.root, word, lasting);
  part("broker-state").append(state, url, trouble, facts);
  return (report) => {
    const { broker } = report;
    sign.show(broker.up ? "healthy" : "unhealthy");
    set(state, "class", `state ${broker.up ? "healthy" : "unhealthy"}`);
    write(word, broker.up ? "up" : "down");
    write(url, broker.url);
    write(trouble, broker.message ?? "");
    lasting.hidden = broker.since === null;
    if (broker.since !== null) changed.show(broker.since);
    showFacts(facts, factsOf(report));
  };
}

function factsOf({ broker, rounds, nameless, unacked }: WorkersReport): readonly Fact[] {
  const lastRound = since();
  if (rounds.last !== null) lastRound.show(rounds.last);
  const took = rounds.duration_ms === null ? "" : `, took ${milliseconds(rounds.duration_ms)}`;
  const oldest =
    unacked === null || unacked.oldest_s === null ? "" : `, the oldest for ${age(unacked.oldest_s)}`;
  return [
    ["Round trip", broker.rtt_ms === null ? null : milliseconds(broker.rtt_ms)],
    ["Reconnected", broker.reconnects === 0 ? null : count(broker.reconnects, "time")],
    ["Last round", rounds.last === null ? null : element("span", "", lastRound.root, ` ago${took}`)],
    [
      "Rounds",
      `${amount(rounds.done)} done${rounds.failed === 0 ? "" : `, ${amount(rounds.failed)} failed`}`,
    ],
    ["Not acknowledged", unacked === null ? null : `${count(unacked.messages, "message")}${oldest}`],
    ["Unnamed workers", nameless === 0 ? null : `${amount(nameless)}, subscribed and silent`],
  ];
}
