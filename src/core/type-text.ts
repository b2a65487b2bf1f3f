/** Record types as people write them. */
import { RrType } from '../wire/constants.ts'

/** @returns the mnemonic of a type, or `TYPEn` (RFC 3597 5) */
export function typeText(type: number): string {
  const known = Object.entries(RrType).find(([, number]) => number === type)
  return known === undefined ? `TYPE${type}` : known[0].toUpperCase()
}
