/** The groups of options, in the order of the help. Each option names its group. */
export const GROUPS = {
  worker: "Which worker",
  broker: "Which broker",
  serve: "Where to serve",
  schedule: "Which schedule",
  method: "What to ask",
  findings: "What to look at",
  verdict: "Verdict and time",
  work: "Queues and tasks",
  output: "Output",
  tls: "TLS to the broker",
  sentinel: "Sentinels",
} as const;

export type Group = keyof typeof GROUPS;
