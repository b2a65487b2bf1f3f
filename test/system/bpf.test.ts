/** Goal: maps hold what is put in, and errors say what the kernel says. Method: the real kernel. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BpfError,
  BpfMap,
  countTcx,
  linkTcx,
  loadClassifier,
  MapType,
  programId,
  TcxSide,
} from '../../src/system/bpf.ts'
import { loadSystemCalls } from '../../src/system/system-calls.ts'
import { needing } from '../support/needs.ts'

const test = needing(suite('system/bpf'), 'root', 'tcx')
const [enoent, eexist] = [2, 17]

const number = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

test('a map has what was put in, until it is deleted', () => {
  const shape = { type: MapType.hash, keyBytes: 4, valueBytes: 4, entriesMax: 8 }
  const map = new BpfMap(loadSystemCalls(), { ...shape, name: 'neardns_test' })
  const into = Buffer.alloc(4)
  assert.is(map.lookup(number(1), into), -enoent)
  assert.is(map.add(number(1), number(7)), 0)
  assert.is(map.add(number(1), number(8)), -eexist)
  assert.is(map.update(number(1), number(9)), 0)
  assert.is(map.lookup(number(1), into), 0)
  assert.is(into.readUInt32LE(), 9)
  assert.is(map.delete(number(1)), 0)
  assert.is(map.delete(number(1)), -enoent)
  map.close()
})

test('an array is read whole', () => {
  const shape = { type: MapType.array, keyBytes: 4, valueBytes: 4, entriesMax: 3 }
  const map = new BpfMap(loadSystemCalls(), { ...shape, name: 'neardns_test' })
  for (const i of [0, 1, 2]) map.update(number(i), number(10 + i))
  // Values are laid out as they are, in whole words.
  const into = Buffer.alloc(3 * 4)
  assert.is(map.readAll(into), 0)
  assert.equal([...new Uint32Array(into.buffer, into.byteOffset, 3)], [10, 11, 12])
  map.close()
})

test('a refused program is an error with what the verifier says', () => {
  // exit, with nothing in r0.
  const instructions = Buffer.from('9500000000000000', 'hex')
  try {
    loadClassifier(loadSystemCalls(), instructions, 'neardns_test')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, BpfError)
    assert.match((error as BpfError).message, /EACCES: .*R0 !read_ok/)
  }
})

test('an interface that is not there has an error, the loopback no program', () => {
  assert.ok(countTcx(loadSystemCalls(), 0x7fff_ffff, TcxSide.ingress) < 0)
  assert.is(countTcx(loadSystemCalls(), 1, TcxSide.egress), 0)
})

test('a program has a number of its own, by which it is found at an interface, and can be left out of the count', () => {
  const calls = loadSystemCalls()
  // r0 = TC_ACT_UNSPEC; exit.
  const instructions = Buffer.from('b7000000ffffffff9500000000000000', 'hex')
  const [one, other] = [0, 1].map(() => loadClassifier(calls, instructions, 'neardns_test'))
  const ids = [one, other].map((fd) => programId(calls, fd as number))
  assert.ok(ids.every((id) => id > 0))
  assert.is(new Set(ids).size, 2)
  const links = [one, other].map((fd) => linkTcx(calls, fd as number, 1))
  const count = (...known: readonly number[]) => countTcx(calls, 1, TcxSide.ingress, new Set(known))
  const before = count(...ids)
  assert.is(count(), before + 2)
  assert.is(count(ids[0] as number), before + 1)
  assert.is(count(ids[1] as number), before + 1)
  for (const fd of [...links, one, other]) calls.closeDescriptor(fd as number)
})

test('what is no program has no number', () => {
  assert.throws(
    () => programId(loadSystemCalls(), 1_000_000),
    (error: unknown) => error instanceof BpfError,
  )
})

test.run()
