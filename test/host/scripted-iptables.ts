/**
 * iptables for tests: its save and restore programs over tables in memory, as far as our texts need them. Both families and both variants have
 * tables of their own.
 */
import type { RunProgram } from '../../src/host/run-program.ts'
import { said } from './scripted-run.ts'

export interface ScriptedIptables {
  readonly run: RunProgram
  /** Command lines, in their order. */
  readonly ran: string[]
  /** Lines of a table, by `iptables-nft raw`: declarations of chains, then rules. */
  readonly tables: Map<string, string[]>
}

const builtIn: Readonly<Record<string, readonly string[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
}

export function scriptedIptables(): ScriptedIptables {
  const ran: string[] = []
  const tables = new Map<string, string[]>()
  const run: RunProgram = async (program, args, stdin = '') => {
    ran.push([program, ...args].join(' '))
    const [, base = '', action] = /^(ip6?tables-\w+)-(save|restore)$/.exec(program) ?? []
    if (action === 'save') return said(save(tables, base, args[1]))
    if (action === 'restore') restore(tables, base, stdin)
    return said('')
  }
  return { run, ran, tables }
}

function save(tables: ScriptedIptables['tables'], base: string, wanted?: string): string {
  const names = wanted === undefined ? Object.keys(builtIn) : [wanted]
  return names
    .flatMap((name) => {
      const lines = tables.get(`${base} ${name}`)
      return lines === undefined ? [] : [`*${name}\n${lines.join('\n')}\nCOMMIT\n`]
    })
    .join('')
}

/** `--noflush`: a chain that the text names is emptied, everything else stays. */
function restore(tables: ScriptedIptables['tables'], base: string, text: string): void {
  let lines: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      const name = line.slice(1)
      const empty = (builtIn[name] ?? []).map((chain) => `:${chain} ACCEPT [0:0]`)
      lines = tables.get(`${base} ${name}`) ?? empty
      tables.set(`${base} ${name}`, lines)
    } else change(lines, line)
  }
}

function change(lines: string[], line: string): void {
  const [, chain = ''] = /^:(\S+) /.exec(line) ?? []
  if (chain !== '') {
    const kept = lines.filter((one) => !one.startsWith(`-A ${chain} `) && one !== line)
    const rules = kept.findIndex((one) => one.startsWith('-A '))
    kept.splice(rules < 0 ? kept.length : rules, 0, line)
    lines.splice(0, lines.length, ...kept)
  } else if (line.startsWith('-A ')) lines.push(line)
  else if (line.startsWith('-I ')) {
    const rule = line.replace(/^-I (\S+) 1 /, '-A $1 ')
    const first = lines.findIndex((one) => one.startsWith('-A '))
    lines.splice(first < 0 ? lines.length : first, 0, rule)
  }
}
