/**
 * bpf(2): maps, programs for tc, and links that hold them at an interface. Layouts are those of `union bpf_attr` in linux/bpf.h; the kernel
 * takes an attribute that is shorter than its own, the rest counts as zeros. Knows no program.
 */
import { getSystemErrorName } from 'node:util'
import type { SystemCalls } from './system-calls.ts'

const Command = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  programLoad: 5,
  objectInfo: 15,
  programQuery: 16,
  mapLookupBatch: 24,
  linkCreate: 28,
} as const

export const MapType = { hash: 1, array: 2, perCpuArray: 6 } as const
/** BPF_F_NO_PREALLOC: an element takes memory when it is stored. */
const noPreallocation = 1
/** BPF_NOEXIST. */
const onlyNew = 1n
/** BPF_PROG_TYPE_SCHED_CLS. */
const trafficClassifier = 3
/** BPF_TCX_INGRESS and BPF_TCX_EGRESS: as seen from the host. */
export const TcxSide = { ingress: 46, egress: 47 } as const

const logBytes = 1 << 20
const programsMax = 64
const enoent = 2

export interface MapShape {
  /** At most 15 characters. */
  readonly name: string
  readonly type: (typeof MapType)[keyof typeof MapType]
  readonly keyBytes: number
  readonly valueBytes: number
  readonly entriesMax: number
}

/** The kernel refused a call. `log` is what the verifier says of a program, else empty. */
export class BpfError extends Error {
  override readonly name = 'BpfError'
  /** errno's name. */
  readonly code: string
  readonly log: string

  constructor(what: string, errno: number, log = '') {
    const code = getSystemErrorName(-errno)
    const last = log.trimEnd().split('\n').slice(-3).join(' | ')
    super(`${what}: ${code}${last === '' ? '' : `: ${last}`}`)
    this.code = code
    this.log = log
  }
}

/** @returns its descriptor @throws BpfError */
export function createMap(calls: SystemCalls, shape: MapShape): number {
  const attributes = Buffer.alloc(48)
  const { type, keyBytes, valueBytes, entriesMax, name } = shape
  const flags = type === MapType.hash ? noPreallocation : 0
  for (const [i, value] of [type, keyBytes, valueBytes, entriesMax, flags].entries())
    attributes.writeUInt32LE(value, 4 * i)
  attributes.write(name.slice(0, 15), 28, 'latin1')
  return checked(calls.bpf(Command.mapCreate, attributes), `map ${name}`)
}

/** A map; its owner closes the descriptor. One of its calls at a time, with memory of its own. */
export class BpfMap {
  readonly fd: number
  private readonly calls: SystemCalls
  private readonly shape: MapShape
  private readonly attributes = Buffer.alloc(32)
  private readonly deletion = Buffer.alloc(16)

  /** @throws BpfError */
  constructor(calls: SystemCalls, shape: MapShape) {
    this.calls = calls
    this.shape = shape
    this.fd = createMap(calls, shape)
    this.attributes.writeUInt32LE(this.fd)
    this.deletion.writeUInt32LE(this.fd)
  }

  /** @returns 0 or -errno @param key of memory that does not move, as `value` */
  update(key: Buffer, value: Buffer): number {
    return this.call(Command.mapUpdate, key, value)
  }

  /** As `update`, for a key that is not there: -EEXIST else. */
  add(key: Buffer, value: Buffer): number {
    this.attributes.writeBigUInt64LE(onlyNew, 24)
    const result = this.call(Command.mapUpdate, key, value)
    this.attributes.writeBigUInt64LE(0n, 24)
    return result
  }

  /** @returns 0 or -errno */
  delete(key: Buffer): number {
    // Not one byte more: the kernel refuses attributes that the command does not have.
    this.deletion.writeBigUInt64LE(this.calls.addressOf(key), 8)
    return this.calls.bpf(Command.mapDelete, this.deletion)
  }

  /** @returns 0 or -errno @param into takes the value; of a per-CPU map that of each possible CPU */
  lookup(key: Buffer, into: Buffer): number {
    return this.call(Command.mapLookup, key, into)
  }

  /** Reads all elements of an array in one call. @param into takes them in order @returns 0 or -errno */
  readAll(into: Buffer): number {
    const { entriesMax, keyBytes } = this.shape
    const keys = Buffer.alloc(entriesMax * keyBytes)
    const next = Buffer.alloc(8)
    const attributes = Buffer.alloc(56)
    attributes.writeBigUInt64LE(this.calls.addressOf(next), 8)
    attributes.writeBigUInt64LE(this.calls.addressOf(keys), 16)
    attributes.writeBigUInt64LE(this.calls.addressOf(into), 24)
    attributes.writeUInt32LE(entriesMax, 32)
    attributes.writeUInt32LE(this.fd, 36)
    const result = this.calls.bpf(Command.mapLookupBatch, attributes)
    // ENOENT: that was the last one.
    return result === -enoent ? 0 : result
  }

  close(): void {
    this.calls.closeDescriptor(this.fd)
  }

  private call(command: number, key: Buffer, value: Buffer): number {
    const { attributes, calls } = this
    attributes.writeBigUInt64LE(calls.addressOf(key), 8)
    attributes.writeBigUInt64LE(calls.addressOf(value), 16)
    return calls.bpf(command, attributes)
  }
}

/**
 * Loads a program for tcx ingress.
 * @param instructions with the maps' descriptors in them
 * @returns its descriptor @throws BpfError with the verifier's log
 */
export function loadClassifier(calls: SystemCalls, instructions: Buffer, name: string): number {
  const attributes = programAttributes(calls, instructions, name)
  const loaded = calls.bpf(Command.programLoad, attributes)
  if (loaded >= 0) return loaded
  // Once more for the log, which costs the verifier several times as much.
  const log = Buffer.alloc(logBytes)
  attributes.writeUInt32LE(1, 24)
  attributes.writeUInt32LE(log.length, 28)
  attributes.writeBigUInt64LE(calls.addressOf(log), 32)
  const again = calls.bpf(Command.programLoad, attributes)
  const text = log.toString('latin1', 0, Math.max(0, log.indexOf(0)))
  return checked(again, `program ${name}`, text)
}

function programAttributes(calls: SystemCalls, instructions: Buffer, name: string): Buffer {
  const memory = Buffer.alloc(instructions.length + 8)
  instructions.copy(memory)
  memory.write('GPL', instructions.length, 'latin1')
  const attributes = Buffer.alloc(72 + memory.length)
  memory.copy(attributes, 72)
  const at = calls.addressOf(attributes) + 72n
  attributes.writeUInt32LE(trafficClassifier, 0)
  attributes.writeUInt32LE(instructions.length / 8, 4)
  attributes.writeBigUInt64LE(at, 8)
  attributes.writeBigUInt64LE(at + BigInt(instructions.length), 16)
  attributes.write(name.slice(0, 15), 48, 'latin1')
  attributes.writeUInt32LE(TcxSide.ingress, 68)
  return attributes.subarray(0, 72)
}

/** @returns the number by which the kernel names a loaded program; another one for each @throws BpfError */
export function programId(calls: SystemCalls, program: number): number {
  // struct bpf_prog_info begins with type and id.
  const info = Buffer.alloc(8)
  const attributes = Buffer.alloc(16)
  attributes.writeUInt32LE(program, 0)
  attributes.writeUInt32LE(info.length, 4)
  attributes.writeBigUInt64LE(calls.addressOf(info), 8)
  checked(calls.bpf(Command.objectInfo, attributes), 'what the program is')
  return info.readUInt32LE(4)
}

/** Puts a program at the end of an interface's tcx ingress. The kernel takes it away with the descriptor. @returns that @throws BpfError */
export function linkTcx(calls: SystemCalls, program: number, ifindex: number): number {
  const attributes = Buffer.alloc(32)
  attributes.writeUInt32LE(program, 0)
  attributes.writeUInt32LE(ifindex, 4)
  attributes.writeUInt32LE(TcxSide.ingress, 8)
  return checked(calls.bpf(Command.linkCreate, attributes), `tcx link of interface ${ifindex}`)
}

/**
 * @param known programs that are not counted, by their numbers
 * @returns how many programs an interface has at tcx; -errno where the kernel (before 6.6) has no tcx, or the interface is gone
 */
export function countTcx(
  calls: SystemCalls,
  ifindex: number,
  side: (typeof TcxSide)[keyof typeof TcxSide],
  known: ReadonlySet<number> = new Set(),
): number {
  const ids = Buffer.from(new ArrayBuffer(4 * programsMax))
  const attributes = Buffer.alloc(64)
  attributes.writeUInt32LE(ifindex, 0)
  attributes.writeUInt32LE(side, 4)
  attributes.writeBigUInt64LE(calls.addressOf(ids), 16)
  attributes.writeUInt32LE(programsMax, 24)
  const result = calls.bpf(Command.programQuery, attributes)
  // ENOENT: nothing has been there yet.
  if (result === -enoent) return 0
  if (result < 0) return result
  const found = new Uint32Array(ids.buffer, ids.byteOffset, attributes.readUInt32LE(24))
  return found.filter((id) => !known.has(id)).length
}

function checked(result: number, what: string, log?: string): number {
  if (result < 0) throw new BpfError(what, -result, log)
  return result
}
