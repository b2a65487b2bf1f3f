/**
 * Gives V8 its heap flags and the C library its arena. Both are read once, at start, so the program replaces itself (execve:
 * same process ID, same descriptors, no child to supervise). Does nothing when the first flag is set already.
 */

/**
 * glibc gives each of the ten threads of Node its own arena, and arenas do not give back what was freed: 14 of 120 MiB,
 * measured in a cgroup of 128 MiB under misses. One is enough when one thread does the work. musl has no arenas.
 */
const arenaVariable = 'MALLOC_ARENA_MAX'

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
  process.execve(execPath, args, { [arenaVariable]: '1', ...env, ...environment })
}
