import type { BrokerFailure } from "../broker/failure.ts";
import { type Deadline, startDeadline } from "../deadline.ts";
import type { Host } from "../host.ts";
import type { Channel } from "../pidbox/channel.ts";
import { openMailbox } from "../pidbox/mailbox.ts";
import { encodeRequest } from "../pidbox/message.ts";
import type { Evidence } from "./evidence.ts";
import type { Plan } from "./plan.ts";
import { startRoll } from "./roll.ts";

/** A ping needs at least this long to be worth sending, in milliseconds: a worker answers within a few. */
const SHORTEST_WAIT_MS = 20;

/** Carries the plan out and gives what was seen; never throws, never outlasts the deadline. */
export async function gather(plan: Plan, host: Host): Promise<Evidence> {
  const deadline = startDeadline(plan.deadline, host.now);
  const interrupted = host.interrupted.then((signal): Evidence => ({ kind: "interrupted", signal }));
  return Promise.race([converse(plan, host, deadline), interrupted]);
}

async function converse(plan: Plan, host: Host, deadline: Deadline): Promise<Evidence> {
  if (deadline.left() === 0) return { kind: "no-time" };
  const channel = await host.connect(plan.broker.target, deadline.atMost(plan.connectTimeout));
  if (!channel.ok) return { kind: "broker-failed", failure: channel.problem, pings: 0 };
  const evidence = await ask(plan, host, deadline, channel.value);
  channel.value.close();
  return evidence;
}

/** Pings until all who were asked have answered, the tries are used up or the time is over. */
async function ask(plan: Plan, host: Host, deadline: Deadline, channel: Channel): Promise<Evidence> {
  const mailbox = openMailbox(channel, plan.replies, {
    now: host.now,
    pause: host.pause,
    answerMs: () => deadline.atMost(plan.connectTimeout),
  });
  const roll = startRoll(plan.asked, host.now);
  let pings = 0;
  let subscribers = 0;
  const seen = (): Evidence => {
    const cutShort = deadline.left() < SHORTEST_WAIT_MS;
    return { kind: "asked", pings, subscribers, pongs: roll.pongs(), waitedMs: roll.waitedMs(), cutShort };
  };
  // A broker that is slower than the rest of the deadline is no news once a ping is out: what was seen counts.
  const broken = (failure: BrokerFailure): Evidence =>
    pings > 0 && deadline.left() === 0 ? seen() : { kind: "broker-failed", failure, pings };

  while (pings < plan.pings && deadline.left() >= SHORTEST_WAIT_MS) {
    const ticket = host.uuid();
    const published = await mailbox.publish(plan.channel, pingMessage(plan, host, ticket));
    if (!published.ok) return broken(published.problem);
    pings += 1;
    subscribers = published.value;
    roll.sent(ticket);
    if (subscribers === 0) break;
    const collected = await mailbox.collect(roll.see, deadline.atMost(plan.timeout));
    if (!collected.ok) return broken(collected.problem);
    if (roll.complete()) break;
  }
  return pings === 0 ? { kind: "no-time" } : seen();
}

function pingMessage(plan: Plan, host: Host, ticket: string): string {
  return encodeRequest({
    method: "ping",
    destination: plan.destination,
    ticket,
    replyTo: plan.replies.key,
    deliveryTag: host.uuid(),
    expires: host.epochSeconds() + plan.timeout / 1_000,
  });
}
