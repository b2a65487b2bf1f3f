/**
 * Gives V8 its heap limit. V8 reads it once, at start, so the program replaces itself (execve: same process ID, same
 * descriptors, no child to supervise). Nothing happens without a cgroup limit, or when somebody has set the limit already.
 */

const decisive = '--max-old-space-size'

/**
 * @param flags as `heapFlagsFor` gives them
 * @returns only when no restart is needed
 */
export function ensureHeapFlags(flags: readonly string[]): void {
  const isDecided = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((given) =>
    given.includes(decisive),
  )
  if (flags.length === 0 || isDecided || process.execve === undefined) return
  const { execPath, execArgv, argv } = process
  process.execve(execPath, [execPath, ...execArgv, ...flags, ...argv.slice(1)], process.env)
}
