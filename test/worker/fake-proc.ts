import type { FileText, ProcFiles } from "../../src/worker/proc-files.ts";

export interface FakeProcess {
  readonly pid: number;
  /** Words, or a title; default: none, as kernel threads and zombies have. */
  readonly words?: readonly string[] | string;
  readonly parent?: number;
  readonly state?: string;
  readonly comm?: string;
  readonly startTicks?: number;
  /** Hexadecimal masks as /proc/N/status has them; default: those of a main process. */
  readonly ignored?: string;
  readonly caught?: string;
  readonly namespacePids?: readonly number[];
  readonly uid?: number;
  /** It was forked and has started no program of its own. */
  readonly isForked?: boolean;
  /** The program's file; default: that of Python. */
  readonly executable?: string;
  /** `null`: may not be read. */
  readonly environment?: string | null;
  /** What /proc/N/ns/net is a link to; default: all share one. */
  readonly network?: string;
  /** Targets of the links in /proc/N/fd; `null`: the folder may not be listed. */
  readonly descriptors?: readonly string[] | null;
}

/** Recorded from prefork workers; the same on 5.4.0, 5.6.3 and 5.7.0, see `isOfPool`. */
export const MASKS = {
  main: { ignored: "0000000001001000", caught: "0000000000004207" },
  pool: { ignored: "0000000001001002", caught: "0000000000004205" },
  /** 5.0.5 and 5.2.7 */
  olderPool: { ignored: "0000000001001002", caught: "0000000000004a05" },
  /** REMAP_SIGTERM=SIGQUIT */
  remappedPool: { ignored: "0000000001005002", caught: "0000000000000205" },
  importing: { ignored: "0000000001001000", caught: "0000000000000002" },
  importingInBackground: { ignored: "0000000001001006", caught: "0000000000000000" },
} as const;

export const SELF = 77;

/**
 * A /proc of these processes, our own (77) and an init (1) where none is given. `files` are added, `null` being one
 * that may not be read. What was read is in `reads`.
 */
export function fakeProc(
  processes: readonly FakeProcess[],
  files: Readonly<Record<string, string | null>> = {},
): ProcFiles & { readonly reads: string[] } {
  const all = [...processes];
  if (!all.some(({ pid }) => pid === 1)) all.push({ pid: 1, words: ["/sbin/init"] });
  all.push({ pid: SELF, words: ["celery-probe"], namespacePids: [SELF] });
  const texts = new Map<string, string | null>(all.flatMap(filesOf));
  for (const [path, text] of Object.entries(files)) texts.set(path, text);
  const links = new Map([...all.flatMap(linksOf), ["/proc/self/ns/uts", "uts:[1]"] as const]);
  const reads: string[] = [];
  return {
    reads,
    self: SELF,
    ticksPerSecond: 100,
    ownAgeMs: () => 0,
    pids: () => all.map(({ pid }) => pid),
    read(path, goesOn) {
      reads.push(path);
      const text = texts.get(path);
      return goesOn?.(text?.length ?? 0) === false ? { ok: false, problem: "cut" } : textOf(text);
    },
    link: (path) => textOf(links.get(path)),
    list(path) {
      const inside = [...texts.keys(), ...links.keys()].filter((name) => name.startsWith(`${path}/`));
      const names = inside.map((name) => name.slice(path.length + 1).split("/")[0] ?? "");
      return names.length === 0 ? null : [...new Set(names)];
    },
  };
}

function textOf(text: string | null | undefined): FileText {
  if (text === undefined) return { ok: false, problem: "gone" };
  return text === null ? { ok: false, problem: "forbidden" } : { ok: true, value: text };
}

/** The raw text of /proc/N/cmdline. */
export function commandLine(words: readonly string[] | string): string {
  return typeof words === "string" ? `${words}${"\0".repeat(30)}` : words.map((word) => `${word}\0`).join("");
}

/** In the form of Linux 6.18, stat shortened behind the start time. */
function filesOf(process: FakeProcess): [string, string | null][] {
  const {
    pid,
    words = [],
    parent = 1,
    state = "S",
    comm = "python",
    startTicks = 5000,
    uid = 1000,
    isForked = false,
  } = process;
  const { ignored = MASKS.main.ignored, caught = MASKS.main.caught, namespacePids = [pid] } = process;
  const status = `Name:\t${comm}
Umask:\t0022
State:\t${state} (sleeping)
Tgid:\t${pid}
PPid:\t${parent}
Uid:\t0\t${uid}\t0\t${uid}
NSpid:\t${namespacePids.join("\t")}
Threads:\t1
SigBlk:\t0000000000000000
SigIgn:\t${ignored}
SigCgt:\t${caught}
voluntary_ctxt_switches:\t41
nonvoluntary_ctxt_switches:\t107
`;
  return [
    [`/proc/${pid}/cmdline`, commandLine(words)],
    [
      `/proc/${pid}/stat`,
      `${pid} (${comm}) ${state} ${parent} 7 7 0 -1 ${isForked ? 4194368 : 4194304} 9 0 0 0 90 9 0 0 20 0 1 0 ${startTicks} 0\n`,
    ],
    [`/proc/${pid}/status`, status],
    [`/proc/${pid}/environ`, process.environment === undefined ? "" : process.environment],
  ];
}

/** All of them share our host name, those whose environment may not be read as far as nobody can tell. */
function linksOf(process: FakeProcess): [string, string][] {
  const { pid, descriptors = ["/dev/null"], environment, words = "" } = process;
  const isPython = /python|celery/.test(String(words));
  const { network = "net:[1]", executable = isPython ? "/usr/bin/python3.12" : "/usr/bin/other" } = process;
  return [
    [`/proc/${pid}/exe`, executable],
    ...(descriptors ?? []).map((target, number): [string, string] => [`/proc/${pid}/fd/${number}`, target]),
    ...(environment === null ? [] : [[`/proc/${pid}/ns/uts`, "uts:[1]"] as [string, string]]),
    ...(descriptors === null ? [] : [[`/proc/${pid}/ns/net`, network] as [string, string]]),
  ];
}
