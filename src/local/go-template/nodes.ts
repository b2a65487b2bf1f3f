/** A parsed Go template, and how its text is made. */
import { callFunction } from './functions.ts'
import { isTrue, printed, TemplateError, type Value } from './value.ts'

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with'
      readonly pipeline: Pipeline
      readonly then: readonly Node[]
      readonly otherwise: readonly Node[]
    }

export interface Pipeline {
  /** The value of each is the last argument of the next. */
  readonly commands: readonly Command[]
  readonly declares: string | undefined
  readonly assigns: string | undefined
}

export type Command =
  | { readonly kind: 'value'; readonly operand: Operand }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }

export type Operand =
  | { readonly kind: 'constant'; readonly value: Value }
  /** `.A.B`, `$x.A`, `(...).A`. */
  | { readonly kind: 'path'; readonly from: Start; readonly keys: readonly string[] }
  /** A function without arguments. */
  | { readonly kind: 'bare'; readonly name: string }

export type Start =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }

export interface Context {
  readonly data: Value
  dot: Value
  readonly variables: Map<string, Value>
  readonly out: string[]
}

/** @returns what went wrong, for people */
export function run(body: readonly Node[], context: Context): string | undefined {
  try {
    for (const node of body) runNode(node, context)
    return undefined
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

function runNode(node: Node, context: Context): void {
  if (node.kind === 'text') {
    context.out.push(node.text)
    return
  }
  const value = resultOf(node.pipeline, context)
  if (node.kind === 'print') {
    const { declares, assigns } = node.pipeline
    if (declares === undefined && assigns === undefined) context.out.push(printed(value))
    return
  }
  const isThen = isTrue(value)
  const { dot } = context
  if (isThen && node.kind === 'with') context.dot = value
  for (const inner of isThen ? node.then : node.otherwise) runNode(inner, context)
  context.dot = dot
}

function resultOf({ commands, declares, assigns }: Pipeline, context: Context): Value {
  let value: Value
  let isPiped = false
  for (const command of commands) {
    value = commandValue(command, context, isPiped ? [value] : [])
    isPiped = true
  }
  const name = declares ?? assigns
  if (name !== undefined) context.variables.set(name, value)
  return value
}

function commandValue(command: Command, context: Context, piped: readonly Value[]): Value {
  if (command.kind === 'value') {
    const { operand } = command
    if (operand.kind === 'bare') return callFunction(operand.name, piped)
    if (piped.length > 0) throw new TemplateError('a value that is no function takes no argument')
    return operandValue(operand, context)
  }
  const args = command.args.map((arg) => operandValue(arg, context))
  return callFunction(command.name, [...args, ...piped])
}

function operandValue(operand: Operand, context: Context): Value {
  if (operand.kind === 'constant') return operand.value
  if (operand.kind === 'bare') return callFunction(operand.name, [])
  let value = startOf(operand.from, context)
  for (const key of operand.keys) value = fieldOf(value, key)
  return value
}

function startOf(from: Start, context: Context): Value {
  if (from.kind === 'dot') return context.dot
  if (from.kind === 'pipeline') return resultOf(from.pipeline, context)
  return from.name === '' ? context.data : context.variables.get(from.name)
}

function fieldOf(value: Value, key: string): Value {
  if (typeof value !== 'object' || Array.isArray(value))
    throw new TemplateError(`there is no field ${key} in ${printed(value)}`)
  const map = value as Readonly<Record<string, Value>>
  return Object.hasOwn(map, key) ? map[key] : undefined
}
