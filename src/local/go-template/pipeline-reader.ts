/** Reads the pipeline of one action: `.Group.a`, `index .Match 1 | printf "%s"`, `$x := parseInt .Group.n 10 8`. */
import { functionNames } from './functions.ts'
import type { Token } from './lexer.ts'
import type { Command, Operand, Pipeline, Start } from './nodes.ts'

export interface PipelineScope {
  /** Fields of the data. */
  readonly fields: ReadonlySet<string>
  /** Whether `.` is the data, and not the value of a `with`. */
  readonly hasRootDot: boolean
}

type Operator = '(' | ')' | '|' | ':=' | '='

export class PipelineReader {
  why = 'is empty'
  private readonly tokens: readonly Token[]
  private readonly scope: PipelineScope
  private at = 0
  private isWrong = false

  constructor(tokens: readonly Token[], scope: PipelineScope) {
    this.tokens = tokens
    this.scope = scope
    this.skipSpace()
  }

  /** Steps over `if` or `with`. */
  skipWord(): void {
    this.at += 1
    this.skipSpace()
  }

  /** @returns undefined when it is malformed: `why` says how */
  read(): Pipeline | undefined {
    const pipeline = this.readPipeline()
    if (!this.isWrong && this.at < this.tokens.length) this.fail('has too much at its end')
    return this.isWrong ? undefined : pipeline
  }

  private readPipeline(): Pipeline {
    const first = this.peek()
    let [declares, assigns]: (string | undefined)[] = []
    if (first?.kind === 'variable' && this.isAssignment()) {
      this.at += 1
      this.skipSpace()
      if (this.takes(':=')) declares = first.text
      else if (this.takes('=')) assigns = first.text
    }
    const commands = [this.readCommand(true)]
    while (!this.isWrong && this.takes('|')) commands.push(this.readCommand(false))
    return { commands, declares, assigns }
  }

  private isAssignment(): boolean {
    const next = this.tokens.slice(this.at + 1).find(({ kind }) => kind !== 'space')
    return next?.kind === 'mark' && (next.text === ':=' || next.text === '=')
  }

  private readCommand(isFirst: boolean): Command {
    this.skipSpace()
    const token = this.peek()
    if (token?.kind === 'word' && functionNames.has(token.text)) {
      this.at += 1
      const args = this.readOperands()
      if (args.length > 0) return { kind: 'call', name: token.text, args }
      return { kind: 'value', operand: { kind: 'bare', name: token.text } }
    }
    const operands = this.readOperands()
    const [operand] = operands
    if (operand === undefined) this.fail('lacks a value')
    if (operands.length > 1) this.fail('gives arguments to a value that is no function')
    if (!isFirst) this.fail('pipes into a value that is no function')
    return { kind: 'value', operand: operand ?? { kind: 'constant', value: '' } }
  }

  private readOperands(): Operand[] {
    const operands: Operand[] = []
    for (;;) {
      this.skipSpace()
      const token = this.peek()
      const isEnd = token === undefined || (token.kind === 'mark' && token.text !== '(')
      if (isEnd || this.isWrong) return operands
      operands.push(this.readOperand(token))
    }
  }

  private readOperand(token: Token): Operand {
    this.at += 1
    switch (token.kind) {
      case 'string':
        return { kind: 'constant', value: token.text }
      case 'number':
        return { kind: 'constant', value: token.value }
      case 'word':
        return this.readWord(token.text)
      case 'variable':
        return this.readPath({ kind: 'variable', name: token.text }, [])
      case 'field':
        return this.readPath({ kind: 'dot' }, token.text === '' ? [] : [token.text])
      default:
        return this.readGroup()
    }
  }

  private readWord(word: string): Operand {
    if (word === 'true' || word === 'false') return { kind: 'constant', value: word === 'true' }
    if (functionNames.has(word)) return { kind: 'bare', name: word }
    this.fail(`has the unknown function ${JSON.stringify(word)}`)
    return { kind: 'constant', value: '' }
  }

  private readGroup(): Operand {
    this.skipSpace()
    const pipeline = this.readPipeline()
    this.skipSpace()
    if (!this.takes(')')) this.fail('has a "(" without ")"')
    return this.readPath({ kind: 'pipeline', pipeline }, [])
  }

  /** Fields that follow without a blank belong to the same operand. */
  private readPath(from: Start, first: readonly string[]): Operand {
    const keys = [...first]
    for (let token = this.peek(); token?.kind === 'field'; token = this.peek()) {
      if (token.text === '') break
      keys.push(token.text)
      this.at += 1
    }
    const isData = (from.kind === 'dot' && this.scope.hasRootDot) || isRootVariable(from)
    const [key] = keys
    if (isData && key !== undefined && !this.scope.fields.has(key))
      this.fail(`has the unknown field .${key}; there are .${[...this.scope.fields].join(' .')}`)
    return { kind: 'path', from, keys }
  }

  private takes(mark: Operator): boolean {
    this.skipSpace()
    const token = this.peek()
    if (token?.kind !== 'mark' || token.text !== mark) return false
    this.at += 1
    return true
  }

  private peek(): Token | undefined {
    return this.tokens[this.at]
  }

  private skipSpace(): void {
    while (this.peek()?.kind === 'space') this.at += 1
  }

  private fail(why: string): void {
    if (!this.isWrong) this.why = why
    this.isWrong = true
  }
}

function isRootVariable(from: Start): boolean {
  return from.kind === 'variable' && from.name === ''
}
