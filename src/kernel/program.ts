/** Loads the program that answers hits, from the table of instructions that `npm run build:kernel` made, and makes its maps. */
import { readFileSync } from 'node:fs'
import { BpfMap, loadClassifier, MapType, programId } from '../system/bpf.ts'
import type { SystemCalls } from '../system/system-calls.ts'
import {
  addressKeyBytes,
  answerSize,
  countSlots,
  keyBytes,
  portWords,
  scratchBytes,
  settingsBytes,
  shapes,
  useBytes,
} from './layout.ts'

const tableUrl = new URL('hit-program.json', import.meta.url)
const instructionBytes = 8
/** BPF_PSEUDO_MAP_FD, in the upper half of an instruction's second byte. */
const mapDescriptor = 1
/** `call`, and the numbers of two helpers with the same arguments. */
const call = 0x85
const redirectPeer = 155
const redirect = 23

export interface InstructionTable {
  readonly instructions: string
  readonly maps: readonly { readonly at: number; readonly name: string }[]
}

export interface ProgramMaps {
  readonly settings: BpfMap
  readonly addresses: BpfMap
  readonly ports: BpfMap
  readonly answers: BpfMap
  readonly uses: BpfMap
  readonly counts: BpfMap
  readonly scratch: BpfMap
}

export interface LoadedProgram {
  readonly fd: number
  /** As others find it at an interface. */
  readonly id: number
  /** The same for bridges, which have no peer; undefined when it was not asked for. */
  readonly bridgeFd: number | undefined
  readonly maps: ProgramMaps
}

/** @returns undefined where it was not built */
export function readTable(url: URL = tableUrl): InstructionTable | undefined {
  try {
    return JSON.parse(readFileSync(url, 'utf8')) as InstructionTable
  } catch {
    return undefined
  }
}

export interface ProgramSizes {
  readonly answersMax: number
  /** Served addresses. */
  readonly servers: number
}

/** @param hasBridges whether it is for bridges, too @throws BpfError; nothing stays open then */
export function loadProgram(
  calls: SystemCalls,
  table: InstructionTable,
  sizes: ProgramSizes,
  hasBridges = false,
): LoadedProgram {
  const made: BpfMap[] = []
  const loaded: number[] = []
  const load = (instructions: Buffer) => {
    const fd = loadClassifier(calls, instructions, 'neardns_hit')
    loaded.push(fd)
    return fd
  }
  try {
    const maps = makeMaps(calls, sizes, made)
    const instructions = withDescriptors(table, maps)
    const fd = load(instructions)
    const bridgeFd = hasBridges ? load(forBridges(instructions)) : undefined
    return { fd, id: programId(calls, fd), bridgeFd, maps }
  } catch (error) {
    for (const fd of loaded) calls.closeDescriptor(fd)
    for (const map of made) map.close()
    throw error
  }
}

/** Closes everything: without a link the kernel removes it. */
export function unloadProgram(calls: SystemCalls, { fd, bridgeFd, maps }: LoadedProgram): void {
  calls.closeDescriptor(fd)
  if (bridgeFd !== undefined) calls.closeDescriptor(bridgeFd)
  for (const map of Object.values(maps) as BpfMap[]) map.close()
}

function makeMaps(calls: SystemCalls, sizes: ProgramSizes, made: BpfMap[]): ProgramMaps {
  const { answersMax, servers } = sizes
  const make = (
    name: string,
    type: (typeof MapType)[keyof typeof MapType],
    [keySize, valueSize, entriesMax]: readonly [number, number, number],
  ) => {
    const shape = { name: `neardns_${name}`, type, entriesMax }
    const map = new BpfMap(calls, { ...shape, keyBytes: keySize, valueBytes: valueSize })
    made.push(map)
    return map
  }
  return {
    settings: make('settings', MapType.array, [4, settingsBytes, 1]),
    addresses: make('addresses', MapType.hash, [addressKeyBytes, 4, servers]),
    ports: make('ports', MapType.array, [4, 8, portWords]),
    answers: make('answers', MapType.hash, [keyBytes, answerSize, answersMax]),
    uses: make('uses', MapType.array, [4, useBytes, answersMax * servers * shapes]),
    counts: make('counts', MapType.perCpuArray, [4, 8, countSlots]),
    scratch: make('scratch', MapType.perCpuArray, [4, scratchBytes, 1]),
  }
}

function withDescriptors(table: InstructionTable, maps: ProgramMaps): Buffer {
  const instructions = Buffer.from(table.instructions, 'base64')
  for (const { at, name } of table.maps) {
    const map = maps[name as keyof ProgramMaps] as BpfMap | undefined
    if (map === undefined) throw new Error(`the table names an unknown map: ${name}`)
    const from = at * instructionBytes
    instructions.writeUInt8(
      (instructions.readUInt8(from + 1) & 0x0f) | (mapDescriptor << 4),
      from + 1,
    )
    instructions.writeInt32LE(map.fd, from + 4)
  }
  return instructions
}

/** Replies leave by the bridge itself, which knows the pod's port. */
function forBridges(instructions: Buffer): Buffer {
  const changed = Buffer.from(instructions)
  let count = 0
  for (let at = 0; at < changed.length; at += instructionBytes) {
    if (changed[at] !== call || changed.readInt32LE(at + 4) !== redirectPeer) continue
    changed.writeInt32LE(redirect, at + 4)
    count += 1
  }
  if (count === 0) throw new Error('the table sends no reply')
  return changed
}
