/** Whether neardns is started in the place of node-cache. Light, because every start asks. */

/** The name under which NodeLocal DNSCache's image has its program. */
export const programName = 'node-cache'

/**
 * @param program last part of the path that was started
 * @param argv its arguments
 * @returns the arguments for node-cache; undefined when neardns itself is meant
 */
export function nodeCacheArguments(
  program: string,
  argv: readonly string[],
): readonly string[] | undefined {
  const [first = ''] = argv
  if (first === programName) return argv.slice(1)
  if (program === programName) return argv
  // Manifests name only the arguments. No flag of neardns is called so.
  const isForNodeCache =
    first.startsWith('-') && argv.some((argument) => /^--?localip(=|$)/.test(argument))
  return isForNodeCache ? argv : undefined
}
