import type { Host } from "../host.ts";
import { cpuMs, residentBytes } from "../worker/usage.ts";
import type { OwnUsage } from "./metrics.ts";

/** Reads what our own process uses, at each call. */
export function ownUsage({ version, proc, now, epochSeconds }: Host): () => OwnUsage {
  const startedS = epochSeconds() - now() / 1_000;
  return () => {
    const cpu = cpuMs(proc, proc.self);
    return {
      version,
      startedS,
      cpuS: cpu === null ? null : cpu / 1_000,
      residentBytes: residentBytes(proc, proc.self),
      openFiles: proc.list(`/proc/${proc.self}/fd`)?.length ?? null,
    };
  };
}
