import type { Destination } from "../broker/keys.ts";
import type { Host } from "../host.ts";
import { encodeRequest, type Method } from "../pidbox/message.ts";
import type { Plan } from "./plan.ts";

/** A request to nodes, those of the plan unless others are given, whose replies carry the ticket and go to the plan's list. */
export function requestMessage(
  plan: Plan,
  host: Host,
  method: Method,
  ticket: string,
  destination: Destination = plan.destination,
): string {
  return encodeRequest({
    method,
    destination,
    ticket,
    controlExchange: plan.naming.controlExchange,
    replyTo: plan.replyTo,
    deliveryTag: host.uuid(),
    expires: host.epochSeconds() + plan.timeout / 1_000,
  });
}
