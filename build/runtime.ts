/**
 * What the executable's Node is started with, and what its code cache must therefore be made with. No flag of V8's is
 * among them: V8 rejects a cache made under others, Node's own included, which costs more than any of them gains.
 */
export const RUNTIME_FLAGS = [
  // No thread for each core, and none for a debugger: 18 context switches instead of 34.
  "--v8-pool-size=0",
  "--disable-sigusr1",
  // OPENSSL_CONF belongs to the container's own programs too, and a broken one would end ours.
  "--openssl-config=/dev/null",
] as const;

/**
 * V8 draws the seed of its hashes anew for each process. Fixed, two builds give the same code cache, and two runs take the
 * same instructions. No part of what a cache is accepted by.
 */
export const SAME_HASHES = "--random-seed=1";

/** Names of the assets inside the executable. */
export const SCRIPT_ASSET = "script";
export const CODE_CACHE_ASSET = "code-cache";
