import type { Destination } from "../broker/keys.ts";
import type { Host } from "../host.ts";
import { encodeRequest, type Question } from "../pidbox/message.ts";
import type { CheckPlan } from "./plan.ts";

/** A request to nodes (by default the plan's). The replies carry the ticket and go to the plan's list. */
export function requestMessage(
  plan: CheckPlan,
  host: Host,
  question: Question,
  ticket: string,
  destination: Destination = plan.destination,
): string {
  return encodeRequest({
    question,
    destination,
    ticket,
    controlExchange: plan.naming.controlExchange,
    replyTo: plan.replyTo,
    deliveryTag: host.uuid(),
    expires: host.epochSeconds() + plan.timeout / 1_000,
  });
}
