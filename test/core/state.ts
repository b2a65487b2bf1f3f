/** The whole state of a core as text, to see that nothing has changed: every object and number that can be reached. */

/** Hold what one call reads, and nothing from one call to the next. */
const scratch: ReadonlySet<string> = new Set([
  'QuestionKey',
  'Question',
  'Inquiry',
  'Decision',
  'Shape',
  'ResponseScan',
  'TimerWheel',
  'AliasChain',
])

/** Longer ones are buffers that messages are written to, and no state. */
const stateBytesMax = 60_000

/** @param roots compared in their order */
export function stateOf(...roots: readonly unknown[]): string {
  const lines: string[] = []
  const seen = new Map<object, number>()
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) {
      if (typeof value !== 'function') lines.push(`${path} ${String(value)}`)
    } else if (!scratch.has(value.constructor.name)) visitObject(value, path)
  }
  const visitObject = (value: object, path: string): void => {
    const known = seen.get(value)
    lines.push(`${path} = ${known ?? 'new'}`)
    if (known !== undefined) return
    seen.set(value, seen.size)
    if (ArrayBuffer.isView(value)) lines.push(`${path} ${bytesText(value)}`)
    else for (const [name, inner] of partsOf(value)) visit(inner, `${path}.${name}`)
  }
  for (const [i, root] of roots.entries()) visit(root, String(i))
  return lines.join('\n')
}

function partsOf(value: object): readonly (readonly [string | number, unknown])[] {
  const isList = value instanceof Map || value instanceof Set
  return isList ? [...[...value].entries()] : Object.entries(value)
}

function bytesText({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  if (byteLength >= stateBytesMax) return String(byteLength)
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}
