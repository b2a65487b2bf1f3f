/**
 * Goal: V8 is told to live within the container's memory. Method: cgroup files as kernels write them; where this
 * machine lets us, a real cgroup with a child in it.
 */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  cacheBytesWithin,
  heapFlagsFor,
  heapLimitsFor,
  readMemoryLimitBytes,
  tooLittleMemory,
  udpSocketsWithin,
} from '../../src/platform/memory-limit.ts'
import { mustRun } from '../support/process.ts'

const test = suite('platform/memory-limit')
const mebibyte = 1_048_576

function limitOf(files: Readonly<Record<string, string>>): number {
  const root = `${mkdtempSync(join(tmpdir(), 'neardns-cgroup-'))}/`
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const limit = readMemoryLimitBytes(root)
  rmSync(root, { recursive: true })
  return limit
}

test('cgroup v2 in a container: the own cgroup is the root of the mount', () => {
  const limit = limitOf({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '134217728\n' })
  assert.is(limit, 128 * mebibyte)
})

test('cgroup v2 nested: the smallest limit on the way up counts', () => {
  const limit = limitOf({
    'proc/self/cgroup': '0::/kubepods.slice/pod1.slice/cri-1.scope\n',
    'sys/fs/cgroup/kubepods.slice/memory.max': '1073741824\n',
    'sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max': '268435456\n',
    'sys/fs/cgroup/kubepods.slice/pod1.slice/cri-1.scope/memory.max': 'max\n',
  })
  assert.is(limit, 256 * mebibyte)
})

test('cgroup v1: the memory controller is found among the others', () => {
  const limit = limitOf({
    'proc/self/cgroup': '12:cpu,cpuacct:/a\n4:memory:/kubepods/pod1\n0::/\n',
    'sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes': '134217728\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  })
  assert.is(limit, 128 * mebibyte)
})

test('cgroup v1 in a container: the path is the host’s, the mount is the own cgroup', () => {
  const limit = limitOf({
    'proc/self/cgroup': '4:memory:/kubepods/burstable/pod1/abc\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '67108864\n',
  })
  assert.is(limit, 64 * mebibyte)
})

test('no limit, no cgroups, and nonsense are all no limit', () => {
  assert.is(limitOf({}), 0)
  assert.is(limitOf({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'max\n' }), 0)
  assert.is(limitOf({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'what\n' }), 0)
  assert.is(limitOf({ 'proc/self/cgroup': 'what\n' }), 0)
  const v1 = 'sys/fs/cgroup/memory/memory.limit_in_bytes'
  assert.is(limitOf({ 'proc/self/cgroup': '4:memory:/\n', [v1]: '9223372036854771712\n' }), 0)
})

test('a path that leaves the mount is not followed', () => {
  const limit = limitOf({
    'proc/self/cgroup': '0::/../../../etc\n',
    'etc/memory.max': '1\n',
    'sys/fs/cgroup/memory.max': 'max\n',
  })
  assert.is(limit, 0)
})

test('the old space is its share of the limit, the semi-space a power of two near a thirty-second', () => {
  const flags = (mib: number) => heapFlagsFor(mib * mebibyte, { heapPercent: 50 }).slice(0, 2)
  assert.equal(flags(64), ['--max-old-space-size=32', '--max-semi-space-size=2'])
  assert.equal(flags(128), ['--max-old-space-size=64', '--max-semi-space-size=4'])
  assert.equal(flags(200), ['--max-old-space-size=100', '--max-semi-space-size=4'])
  assert.equal(flags(1024), ['--max-old-space-size=512', '--max-semi-space-size=8'])
  assert.equal(flags(30), ['--max-old-space-size=24', '--max-semi-space-size=1'])
})

test('threads of V8 collect where memory is short, and nowhere else', () => {
  const isAlone = (mib: number) =>
    heapFlagsFor(mib * mebibyte, { heapPercent: 50 }).includes('--single-threaded-gc')
  assert.equal([64, 128, 129, 1024, 0].map(isAlone), [false, false, true, true, true])
})

test('without a limit the heap has no end, but grows in small steps', () => {
  const unlimited = ['--max-semi-space-size=8', '--single-threaded-gc']
  assert.equal(heapFlagsFor(0, { heapPercent: 50 }), unlimited)
  assert.equal(heapFlagsFor(2 ** 63 - 4096, { heapPercent: 50 }), unlimited)
  assert.is(heapLimitsFor(0).growthPercent, 100)
  assert.is(heapLimitsFor(2 ** 63 - 4096).growthPercent, 100)
  assert.is(heapLimitsFor(256 * mebibyte).growthPercent, 50)
  assert.is(heapLimitsFor(128 * mebibyte).growthPercent, 10)
})

test('memory goes before latency up to the limit of the manifests', () => {
  const limitsMiB = [0, 64, 128, 129, 256]
  const short = limitsMiB.filter((limit) => heapLimitsFor(limit * mebibyte).savesMemory)
  assert.equal(short, [64, 128])
})

test('no flag makes V8 refuse the compiled code that Node carries for its own modules', async () => {
  // V8 takes it only under the flags it was compiled with, and says so with its own checksum.
  const script =
    'console.log(process.config.variables.node_use_node_code_cache, require("v8").cachedDataVersionTag())'
  const tagWith = (flags: readonly string[]) => mustRun(process.execPath, [...flags, '-e', script])
  const plain = await tagWith([])
  assert.is(await tagWith(heapFlagsFor(0, { heapPercent: 50 })), plain)
  assert.is(await tagWith(heapFlagsFor(128 * mebibyte, { heapPercent: 50 })), plain)
  assert.is.not(await tagWith(['--heap-growing-percent=100']), plain)
})

test('this Node takes all flags, and starts the process anew with them once', async () => {
  const module = join(import.meta.dirname, '../../src/platform')
  const script = `
    import { ensureHeapFlags } from ${JSON.stringify(join(module, 'heap-flags.ts'))}
    import { heapFlagsFor } from ${JSON.stringify(join(module, 'memory-limit.ts'))}
    ensureHeapFlags(heapFlagsFor(Number(process.argv[2]), { heapPercent: 50 }))
    console.log(process.execArgv.join(' '), process.env.MALLOC_ARENA_MAX)`
  const file = join(mkdtempSync(join(tmpdir(), 'neardns-flags-')), 'main.ts')
  writeFileSync(file, script)
  for (const limitBytes of [0, 128 * mebibyte]) {
    const output = await mustRun(process.execPath, [file, String(limitBytes)])
    const flags = heapFlagsFor(limitBytes, { heapPercent: 50 }).join(' ')
    assert.ok(output.includes(`${flags} 1`), output)
  }
  rmSync(dirname(file), { recursive: true })
})

test('for every limit from 64 MiB to 4 GiB and every share up to 60, the whole heap leaves a quarter', () => {
  for (let mib = 64; mib <= 4096; mib += 7) {
    for (let heapPercent = 10; heapPercent <= 60; heapPercent += 10) {
      const [old = 0, semi = 0] = heapFlagsFor(mib * mebibyte, { heapPercent }).map((flag) =>
        Number(flag.split('=')[1]),
      )
      assert.ok(old + 3 * semi <= mib * 0.75, `${mib} MiB, ${heapPercent} %: ${old} + 3 * ${semi}`)
    }
  }
})

const controller = '/sys/fs/cgroup/memory'
const canLimit = process.getuid?.() === 0 && existsSync(`${controller}/memory.limit_in_bytes`)
const inRealCgroup = canLimit ? test : test.skip

inRealCgroup('in a real cgroup of 128 MiB the limit is read and V8 follows the flags', async () => {
  const directory = `${controller}/neardns-test-${process.pid}`
  mkdirSync(directory)
  try {
    writeFileSync(`${directory}/memory.limit_in_bytes`, String(128 * mebibyte))
    const module = join(import.meta.dirname, '../../src/platform/memory-limit.ts')
    const script = `
      import { getHeapStatistics } from 'node:v8'
      import {
  heapFlagsFor,
  heapLimitsFor,
  readMemoryLimitBytes,
} from ${JSON.stringify(module)}
      const flags = heapFlagsFor(readMemoryLimitBytes(), { heapPercent: 50 })
      console.log(Math.round(getHeapStatistics().heap_size_limit / 1048576), process.pid, flags.join(' '))
      if (process.execArgv.length === 2) process.execve(process.execPath,
        [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)], process.env)`
    // execArgv holds --input-type and -e only in the first round.
    const enter = `echo $$ > ${directory}/cgroup.procs && exec "$0" --input-type=module-typescript "$@"`
    const output = await mustRun('sh', ['-c', enter, process.execPath, `--eval=${script}`])
    const [first = [], second = []] = output.split('\n').map((line) => line.split(' '))
    assert.is(second[2], '--max-old-space-size=64')
    assert.is(second[1], first[1], 'the process is the same')
    // 64 MiB and three semi-spaces of 4 MiB.
    assert.is(Number(second[0]), 76)
    assert.ok(Number(first[0]) > 128, `V8 alone chose ${first[0]} MiB`)
  } finally {
    rmdirSync(directory)
  }
})

test('a limit that a daemon under load does not survive is refused with the least one; of several processes each needs as much', () => {
  const mebibyte = 1_048_576
  assert.match(tooLittleMemory(63 * mebibyte, 1) ?? '', /is 63 MiB, .*; at least 64 MiB$/)
  assert.match(tooLittleMemory(100 * mebibyte, 3) ?? '', /192 MiB, 64 MiB for each of 3 processes$/)
  for (const bytes of [0, 64 * mebibyte, 2 ** 62]) assert.is(tooLittleMemory(bytes, 1), undefined)
  assert.is(tooLittleMemory(0, 64), undefined)
})

test('the default cache fits in 128 MiB; below that it shrinks with the limit, and something is always left of it', () => {
  const mebibyte = 1_048_576
  assert.ok(cacheBytesWithin(128 * mebibyte) >= 33_554_432)
  assert.is(cacheBytesWithin(0), Number.POSITIVE_INFINITY)
  const sizes = [48, 56, 64, 96].map((size) => cacheBytesWithin(size * mebibyte))
  assert.equal(
    sizes,
    sizes.toSorted((a, b) => a - b),
  )
  assert.ok((sizes[2] ?? 0) < 8 * mebibyte)
  assert.is(cacheBytesWithin(32 * mebibyte), 65_536)
})

test('UDP sockets fill an eighth of the limit at most, and there are always some', () => {
  assert.is(udpSocketsWithin(0), Number.POSITIVE_INFINITY)
  for (const size of [64, 128, 256])
    assert.ok(udpSocketsWithin(size * mebibyte) * 9000 <= (size * mebibyte) / 8, `${size} MiB`)
  assert.ok(udpSocketsWithin(187 * mebibyte) >= 2048)
  assert.is(udpSocketsWithin(32 * mebibyte), 64)
})

test.run()
