/**
 * `npm run build:kernel`: compiles src/kernel/hit.bpf.c to the table of instructions that src/kernel/program.ts loads. Needs clang and the
 * kernel's headers (Debian: clang, linux-libc-dev). The result is the same for all architectures.
 *
 *   node build-kernel.ts [FOLDER]     the folder is `src/kernel` unless given; with a bundle, its folder
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const source = join(import.meta.dirname, 'src/kernel/hit.bpf.c')
const program = 'tc'
/** R_BPF_64_64: the 64-bit value of two instructions. */
const valueRelocation = 1
const symbolTable = 2
const relocations = 9
const instructionBytes = 8
/** LD_IMM64. */
const loadValue = 0x18

/** What is loaded: instructions, and which of them get the descriptor of which map. */
export interface InstructionTable {
  readonly instructions: string
  readonly maps: readonly { readonly at: number; readonly name: string }[]
}

interface Section {
  readonly name: string
  readonly type: number
  readonly info: number
  readonly bytes: Buffer
}

/** @param object ELF, 64-bit, little-endian @throws when it holds anything that the loader does not know */
export function tableFrom(object: Buffer): InstructionTable {
  const sections = sectionsOf(object)
  const at = sections.findIndex(({ name }) => name === program)
  const code = sections[at]?.bytes
  if (code === undefined) throw new Error(`no section "${program}"`)
  const symbols = symbolsOf(sections)
  const maps = sections
    .filter(({ type, info }) => type === relocations && info === at)
    .flatMap(({ bytes }) => entries(bytes, 16))
    .map((entry) => mapAt(entry, code, symbols))
  return { instructions: code.toString('base64'), maps }
}

function mapAt(entry: Buffer, code: Buffer, symbols: readonly string[]) {
  const offset = Number(entry.readBigUInt64LE(0))
  const type = entry.readUInt32LE(8)
  const symbol = symbols[entry.readUInt32LE(12)] ?? ''
  const isLoad = code[offset] === loadValue && code.readUInt32LE(offset + 4) === 0
  if (type !== valueRelocation || !isLoad || !symbol.endsWith('_map')) {
    throw new Error(
      `instruction ${offset / instructionBytes}: relocation of type ${type} to "${symbol}"; only maps are known`,
    )
  }
  return { at: offset / instructionBytes, name: symbol.slice(0, -'_map'.length) }
}

function sectionsOf(object: Buffer): Section[] {
  const from = Number(object.readBigUInt64LE(0x28))
  const headers = entries(
    object.subarray(from, from + 64 * object.readUInt16LE(0x3c)),
    object.readUInt16LE(0x3a),
  )
  const bytesOf = (header: Buffer | undefined) => {
    const start = Number(header?.readBigUInt64LE(0x18) ?? 0)
    return object.subarray(start, start + Number(header?.readBigUInt64LE(0x20) ?? 0))
  }
  const names = bytesOf(headers[object.readUInt16LE(0x3e)])
  return headers.map((header) => ({
    name: textAt(names, header.readUInt32LE(0)),
    type: header.readUInt32LE(4),
    info: header.readUInt32LE(0x2c),
    bytes: bytesOf(header),
  }))
}

/** Names of all symbols; that of a section is empty, and so no map. */
function symbolsOf(sections: readonly Section[]): string[] {
  const table = sections.find(({ type }) => type === symbolTable)
  const names = sections.find(({ name }) => name === '.strtab')
  if (table === undefined || names === undefined) throw new Error('no symbols')
  return entries(table.bytes, 24).map((symbol) => textAt(names.bytes, symbol.readUInt32LE(0)))
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at))
}

function entries(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
}

/** Runs clang. @param from C, its program in the section `tc` @throws with what it says */
export function compileHits(from = source): InstructionTable {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-kernel-'))
  try {
    const object = join(folder, 'hit.o')
    // asm/types.h lies in the folder of the machine's architecture on Debian; its types are the same everywhere.
    const headers = ['x86_64', 'aarch64']
      .map((machine) => `/usr/include/${machine}-linux-gnu`)
      .filter((path) => existsSync(path))
    execFileSync('clang', [
      ...['-target', 'bpf', '-mcpu=v2', '-O2', '-Wall', '-Werror'],
      ...headers.map((path) => `-I${path}`),
      ...['-c', from, '-o', object],
    ])
    return tableFrom(readFileSync(object))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = join(resolve(process.argv[2] ?? 'src/kernel'), 'hit-program.json')
  const table = compileHits()
  writeFileSync(path, JSON.stringify(table))
  const count = Buffer.from(table.instructions, 'base64').length / instructionBytes
  process.stdout.write(`${path}: ${count} instructions\n`)
}
