/**
 * Gives V8 its heap flags and the C library its rules. Both are read once, at start, so the program replaces itself (execve:
 * same process ID, same descriptors, no child to supervise). Does nothing when the first flag is set already.
 */

/**
 * Variables of glibc's allocator (mallopt(3)); musl has none of them.
 *
 * It gives each of the ten threads of Node its own arena, and arenas do not give back what was freed: 14 of 120 MiB, measured in a cgroup of
 * 128 MiB under misses. One is enough when one thread does the work. And once a large block was freed, blocks of up to 32 MiB come from the
 * arena as well, where small ones behind them hold their pages: with fixed thresholds its heap was 12 MiB instead of 17 under look-ups of pods (docs/decisions/0049). Not
 * less than 128 KiB, glibc's first threshold: the blocks of 64 KiB that libuv reads into would grow and trim the arena at every fifth miss.
 */
export const allocatorVariables: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
}

/**
 * @param flags as `heapFlagsFor` gives them
 * @param environment additional variables for the program that is started anew
 * @returns only when no restart is needed
 */
export function ensureHeapFlags(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): void {
  const [decisive = ''] = flags.map((flag) => flag.replace(/=.*/, ''))
  const isDecided = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((given) =>
    given.includes(decisive),
  )
  if (!isDecided) startAnew(environment, flags)
}

/** @returns only when a process cannot replace itself */
export function startAnew(
  environment: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): void {
  if (process.execve === undefined) return
  const { execPath, execArgv, argv, env } = process
  const args = [execPath, ...execArgv, ...flags, ...argv.slice(1)]
  process.execve(execPath, args, { ...allocatorVariables, ...env, ...environment })
}
