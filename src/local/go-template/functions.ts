/** Functions of Go's templates (text/template, "Functions"), and `parseInt`, which CoreDNS adds. */
import { format } from './format.ts'
import { isTrue, printed, TemplateError, type Value } from './value.ts'

type TemplateFunction = (args: readonly Value[]) => Value

const functions: Readonly<Record<string, TemplateFunction>> = {
  and: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([arg]) => !isTrue(arg),
  eq: ([first, ...others]) => others.some((other) => first === other),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => isBelow(a, b),
  le: ([a, b]) => !isBelow(b, a),
  gt: ([a, b]) => isBelow(b, a),
  ge: ([a, b]) => !isBelow(a, b),
  index: ([value, ...keys]) => keys.reduce(indexed, value),
  len: ([value]) => lengthOf(value),
  slice: ([value, from, to]) => sliced(value, from, to),
  print: printedTogether,
  println: (args) => `${args.map(printed).join(' ')}\n`,
  printf: ([text, ...args]) => format(printed(text), args),
  parseInt: ([text, base, bits]) => parseUnsigned(text, base, bits),
}

export const functionNames: ReadonlySet<string> = new Set(Object.keys(functions))

/** @param name one of `functionNames` */
export function callFunction(name: string, args: readonly Value[]): Value {
  const called = functions[name]
  if (called === undefined) throw new TemplateError(`there is no function ${name}`)
  if (args.length === 0 && name !== 'print' && name !== 'println')
    throw new TemplateError(`${name} needs an argument`)
  return called(args)
}

/** With a blank between two values of which neither is a text. */
function printedTogether(args: readonly Value[]): string {
  return args
    .map((arg, i) => {
      const isApart = i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string'
      return `${isApart ? ' ' : ''}${printed(arg)}`
    })
    .join('')
}

function isBelow(a: Value, b: Value): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  if (typeof a === 'string' && typeof b === 'string') return a < b
  throw new TemplateError(`${printed(a)} and ${printed(b)} cannot be compared`)
}

function indexed(value: Value, key: Value): Value {
  if (typeof value === 'object' && !Array.isArray(value) && typeof key === 'string') {
    const map = value as Readonly<Record<string, Value>>
    // Of the maps here each has texts.
    return Object.hasOwn(map, key) ? map[key] : ''
  }
  if (typeof key !== 'number' || (!Array.isArray(value) && typeof value !== 'string'))
    throw new TemplateError(`${printed(value)} has no index ${printed(key)}`)
  if (key < 0 || key >= value.length) throw new TemplateError(`index ${key} is out of range`)
  return typeof value === 'string' ? value.charCodeAt(key) : (value[key] as Value)
}

function lengthOf(value: Value): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  if (typeof value === 'object') return Object.keys(value).length
  throw new TemplateError(`${printed(value)} has no length`)
}

function sliced(value: Value, from: Value = 0, to: Value = lengthOf(value)): Value {
  const isSound =
    typeof from === 'number' &&
    typeof to === 'number' &&
    from >= 0 &&
    from <= to &&
    to <= lengthOf(value)
  if (!isSound || (typeof value !== 'string' && !Array.isArray(value)))
    throw new TemplateError(`${printed(value)} has no part from ${printed(from)} to ${printed(to)}`)
  return value.slice(from, to)
}

/** As Go's strconv.ParseUint. */
function parseUnsigned(text: Value, base: Value, bits: Value): number {
  const radix = typeof base === 'number' ? base : 10
  const size = typeof bits === 'number' && bits > 0 ? bits : 64
  const digits = typeof text === 'string' ? text.toLowerCase() : ''
  const isSound = [...digits].every((digit) => Number.parseInt(digit, 36) < radix)
  const value = Number.parseInt(digits, radix)
  if (radix < 2 || radix > 36 || digits === '' || !isSound || value >= 2 ** size)
    throw new TemplateError(
      `parseInt: ${JSON.stringify(text)} is no number of ${size} bits in base ${radix}`,
    )
  return value
}
