/** Flags that take a number: their bounds, declared with the flag, and what is said of a value that is none of them. Pure. */

export interface NumberRule {
  readonly min: number
  readonly max: number
  /** A fraction is taken as well. */
  readonly isFraction?: boolean
}

/** Of something counted: more than anybody waits for, and exact as a number. */
export const countRule: NumberRule = { min: 1, max: 1_000_000_000 }
export const portRule: NumberRule = { min: 1, max: 65_535 }

/** @returns the one line that says what would be right; undefined when it is right */
export function wrongNumber(
  name: string,
  text: string,
  { min, max, isFraction = false }: NumberRule,
): string | undefined {
  const shape = isFraction ? /^\d+(?:\.\d+)?$/ : /^\d+$/
  const value = Number(text)
  if (shape.test(text) && value >= min && value <= max) return undefined
  return `${name} ${text}: it takes a ${isFraction ? '' : 'whole '}number from ${min} to ${max}`
}
