/** Members of parsed JSON that others have written: whatever it is, nothing throws. Pure. */

/** @returns the object's own member; undefined for what is no object or has none */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const found: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
  return found
}

/** @returns empty for what is no text */
export function textOf(value: unknown, key: string): string {
  const text = member(value, key)
  return typeof text === 'string' ? text : ''
}
