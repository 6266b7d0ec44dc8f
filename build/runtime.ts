/**
 * The flags of the executable's Node. Its code cache must be made with the same flags. No flag of V8 is among them,
 * because V8 rejects a cache that was made under other flags, even Node's own cache. That costs more than any of these
 * flags gains.
 */
export const RUNTIME_FLAGS = [
  // Neither one thread per core nor one for a debugger: this means 18 context switches instead of 34.
  "--v8-pool-size=0",
  "--disable-sigusr1",
  // OPENSSL_CONF also belongs to the container's own programs, and a broken file would end ours.
  "--openssl-config=/dev/null",
] as const;

/**
 * V8 chooses a new seed for its hashes in each process. With a fixed seed, two builds give the same code cache, and two
 * runs take the same number of instructions. The seed does not decide whether V8 accepts a cache.
 */
export const SAME_HASHES = "--random-seed=1";

/** Names of the assets inside the executable. */
export const SCRIPT_ASSET = "script";
export const CODE_CACHE_ASSET = "code-cache";
