/**
 * Goal: the micro benches measure the tree that they are told to, and count the bytes that an operation leaves behind. Method: a made-up
 * tree whose cases are known, measured in a process of its own as `--against` does.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { measureTree } from '../../bench/micro/compare.ts'

const test = suite('bench/micro')

/** 1 KiB and a little more on the heap, 1 KiB outside of it, and nothing at all. */
const cases = `let kept
let n = 0
const barred = (name, op, bytes) => ({ name, op, bar: { ns: 1e9, bytes } })
export const bench = () => [
  { name: 'nothing', op: () => (n = (n + 1) & 1023) },
  { name: 'heap', op: () => (kept = new Array(128).fill(n)).length },
  { name: 'buffer', op: () => (kept = Buffer.allocUnsafeSlow(1024)).length },
  barred('below its bar', () => (n = (n + 1) & 1023), 0.1),
  barred('above its bar', () => (kept = { n }, 1), 0.1),
]
`

test('the cases of the other tree run, and each has its bytes', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'neardns-micro-test-'))
  try {
    mkdirSync(join(tree, 'bench', 'micro'), { recursive: true })
    writeFileSync(join(tree, 'bench', 'micro', 'known.bench.ts'), cases)
    writeFileSync(join(tree, 'bench', 'micro', 'broken.bench.ts'), "import './absent.ts'\n")
    const { results, failed } = await measureTree(tree, '', ['--short'])
    const bytesOf = (wanted: string) =>
      results.find(({ name }) => name === wanted)?.bytesPerOp ?? Number.NaN
    assert.ok(bytesOf('nothing') < 2, String(bytesOf('nothing')))
    assert.ok(bytesOf('heap') >= 1024 && bytesOf('heap') < 1200, String(bytesOf('heap')))
    assert.ok(bytesOf('buffer') >= 1024 && bytesOf('buffer') < 1500, String(bytesOf('buffer')))
    assert.equal(
      results.filter(({ isAboveBar }) => isAboveBar).map(({ name }) => name),
      ['above its bar'],
    )
    assert.is(failed.length, 1)
    assert.match(failed[0] ?? '', /^bench\/micro\/broken\.bench\.ts: .*absent/)
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
})

test.run()
