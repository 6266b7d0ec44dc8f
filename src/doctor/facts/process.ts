/** What is found of the process of a worker in sight. */
export interface ProcessFacts {
  /** Bytes; null: not known. */
  readonly memory: {
    readonly main: number | null;
    readonly children: number;
    readonly largestChild: number;
    /** How many children there are. */
    readonly count: number;
    /** Of the container, which may have none. */
    readonly limit: number | null;
    readonly used: number | null;
    /** Of the machine. */
    readonly available: number | null;
    /** Whether children are replaced now and then. */
    readonly isRecycled: boolean;
  };
  readonly "oom-kills": { readonly count: number };
  readonly restarts: {
    readonly upS: number;
    /** Of the container's first process, where that is not the worker; null: it is, or this is no container. */
    readonly containerUpS: number | null;
  };
  /** Share of one core, 1 being all of it. */
  readonly cpu: {
    readonly main: number;
    readonly children: number;
    /** What this doctor took itself. */
    readonly own: number;
    readonly overMs: number;
    readonly isPrefork: boolean;
    /** How often the container was held back meanwhile; null: not told. */
    readonly throttled: number | null;
  };
  readonly interpreter: {
    readonly path: string;
    readonly pythonPath: string | null;
    /** A `celery` of another environment than the interpreter; null: of the same. */
    readonly foreignScript: string | null;
  };
  /** A file of the command line that the worker's user may not write. */
  readonly "file-permissions":
    | { readonly kind: "writable"; readonly files: readonly string[] }
    | (NamedFile & {
        readonly kind: "forbidden";
        readonly owner: string;
        readonly mode: string;
        readonly user: string;
      })
    /** Its file system is mounted read-only. */
    | (NamedFile & { readonly kind: "read-only" })
    | { readonly kind: "no-folder"; readonly option: string; readonly path: string }
    /** This user may not look at them. */
    | { readonly kind: "unseen"; readonly files: readonly string[] };
}

/** A file, or the folder of one. */
interface NamedFile {
  /** The option that names it. */
  readonly option: string;
  readonly path: string;
  readonly isFolder: boolean;
}
