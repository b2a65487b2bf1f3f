/** A holder's key from words, the same for the same words. */
export function keyFor(text: string): number {
  return Buffer.from(text).reduce(
    (hash, byte) => Math.imul(hash ^ byte, 0x9e3779b1) ^ (hash >>> 15),
    7,
  )
}
