/** Whether this Node can run neardns: an older one dies of a syntax it does not know, or of a function it does not have. */
import { neededNode } from '../version.ts'

/**
 * @param version as `process.versions.node`
 * @returns one line that says what is needed; undefined when this Node will do
 */
export function tooOldNode(version: string, needed = neededNode()): string | undefined {
  const wanted = numbers(needed.replace(/^>=/, ''))
  const [major = 0, minor = 0] = numbers(version)
  const [majorMin = 0, minorMin = 0] = wanted
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return undefined
  return `neardns needs Node ${wanted.join('.')} or newer, and this is ${version}; \`npm ci\` brings the right one to node_modules/.bin/node`
}

function numbers(text: string): readonly number[] {
  return text.split('.').map(Number)
}
