import type { State } from "./state.ts";
import * as answering from "./states/answering.ts";
import * as askedWrongly from "./states/asked-wrongly.ts";
import * as blocked from "./states/blocked.ts";
import * as broker from "./states/broker.ts";
import * as brokerName from "./states/broker-name.ts";
import * as catatonic from "./states/catatonic.ts";
import * as deaf from "./states/deaf.ts";
import * as gone from "./states/gone.ts";
import * as halfOpenFetch from "./states/half-open-fetch.ts";
import * as hurried from "./states/hurried.ts";
import * as noWork from "./states/no-work.ts";
import * as stopped from "./states/stopped.ts";
import * as stopping from "./states/stopping.ts";

/** Every state of the matrix, in the order of the page. */
export const STATES: readonly State[] = [
  answering.IDLE,
  answering.FULL,
  hurried.STARVED,
  answering.RATE_LIMITED,
  blocked.BLOCKED_SLEEP,
  blocked.BLOCKED_CHILD,
  blocked.BLOCKED_CPU,
  blocked.BLOCKED_C,
  blocked.BLOCKED_GIL,
  blocked.BLOCKED_REGEX,
  blocked.BLOCKED_WRITING,
  blocked.BLOCKED_POPPING,
  blocked.HUNG,
  blocked.HUNG_AND_CUT,
  stopping.STOPPING,
  hurried.IMPORTING,
  stopped.SIGSTOP,
  stopped.FROZEN_V1,
  stopped.FROZEN_V2,
  stopped.ONE_OF_TWO_STOPPED,
  gone.KILLED,
  gone.MAIN_KILLED,
  gone.MAIN_KILLED_PROGRAM_LEFT,
  gone.ENDING,
  gone.ZOMBIE,
  gone.NEVER_STARTED,
  gone.ONE_OF_TWO_DEAD,
  gone.DEAD_BESIDE_A_LIVING_ONE,
  deaf.REMOTE_CONTROL_OFF,
  deaf.REMOTE_CONTROL_OFF_FULL,
  deaf.REMOTE_CONTROL_AND_GOSSIP_OFF_FULL,
  deaf.UNTOLD_FULL,
  deaf.JSON_REFUSED,
  deaf.CONTROL_CONNECTION_CLOSED,
  deaf.CONTROL_CONNECTION_HALF_OPEN,
  deaf.CONTROL_CONNECTION_LOST_BY_PROXY,
  catatonic.AFTER_A_FAILED_COMMAND,
  catatonic.AFTER_A_FAILED_COMMAND_UNTOLD,
  catatonic.AFTER_OUTAGES,
  catatonic.AFTER_AN_OUTAGE,
  answering.CANCELLED_QUEUE,
  halfOpenFetch.FETCH_HALF_OPEN,
  halfOpenFetch.FETCH_HALF_OPEN_BESIDE,
  halfOpenFetch.FETCH_LOST_BY_PROXY,
  noWork.CHILDREN_DIE,
  noWork.CHILDREN_HANG,
  noWork.UNPATCHED,
  noWork.RATE_LIMITED_FOR_LONG,
  noWork.RATE_LIMITED_ELSEWHERE,
  answering.STUCK_TASK,
  answering.BACKLOG,
  broker.RESTARTED_IDLE,
  broker.RESTARTED_FULL,
  broker.RESTARTED_BLOCKED,
  broker.DISCONNECTED,
  brokerName.NAME_MOVED,
  brokerName.NAME_ROTATES,
  broker.REDIS_STOPPED,
  broker.REDIS_PAUSED,
  broker.WRONG_PASSWORD,
  askedWrongly.ANOTHER_DATABASE,
  askedWrongly.ANOTHER_NAME,
];
