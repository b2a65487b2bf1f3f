/** Goal: kept lines are never old ones. Method: a stand-in for the library that counts what it is asked to write; random changes. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Sample } from '../../src/observe/families/family.ts'
import { KeptLines } from '../../src/observe/kept-lines.ts'
import { Random } from '../fuzz/random.ts'

const test = suite('observe/kept-lines')

function lineOf({ labels, value, suffix, bound }: Sample): string {
  return `name${suffix ?? ''}${JSON.stringify({ ...bound, ...labels })} ${value}`
}

class Writer {
  pieces: number[] = []

  readonly write = async (samples: readonly Sample[]): Promise<string> => {
    this.pieces.push(samples.length)
    return ['# HELP', '# TYPE', ...samples.map(lineOf)].join('\n')
  }
}

async function update(lines: KeptLines, samples: readonly Sample[], { write }: Writer) {
  let pieces = 0
  for await (const _piece of lines.update(samples, write)) pieces++
  assert.is(lines.text, ['# HELP', '# TYPE', ...samples.map(lineOf)].join('\n'))
  return pieces
}

const sample = (to: string, value: number): Sample => ({ labels: { to }, value })

test('a family without samples has its head, which is written once', async () => {
  const [lines, writer] = [new KeptLines(), new Writer()]
  await update(lines, [], writer)
  await update(lines, [], writer)
  assert.equal(writer.pieces, [0])
})

test('only what has changed is written again', async () => {
  const [lines, writer] = [new KeptLines(), new Writer()]
  await update(lines, [sample('a', 1), sample('b', 2), sample('c', 3)], writer)
  await update(lines, [sample('a', 1), sample('b', 5), sample('c', 3)], writer)
  await update(lines, [sample('a', 1), sample('b', 5), sample('c', 3)], writer)
  assert.equal(writer.pieces, [3, 1])
})

test('many changes are written in pieces', async () => {
  const [lines, writer] = [new KeptLines(), new Writer()]
  const samples = Array.from({ length: 101 }, (_, n) => sample(String(n), n))
  assert.is(await update(lines, samples, writer), 3)
  assert.equal(writer.pieces, [40, 40, 21])
})

test('series that come and go, and labels that change, are seen', async () => {
  const [lines, writer] = [new KeptLines(), new Writer()]
  const random = new Random(4)
  const allLabels = [{ to: 'a' }, { to: 'b' }, { to: 'a', rcode: 'NOERROR' }, {}]
  for (let scrape = 0; scrape < 500; scrape++) {
    const samples = Array.from({ length: random.below(4) }, (): Sample => {
      const one = { labels: random.pick(allLabels), value: random.below(2) }
      const le = random.pick(['1', '+Inf'])
      return random.pick([
        one,
        { ...one, suffix: '_sum' },
        { ...one, suffix: '_bucket', bound: { le } },
      ])
    })
    await update(lines, samples, writer)
  }
})

test('what fails half-way is written as a whole the next time', async () => {
  const [lines, writer] = [new KeptLines(), new Writer()]
  const many = (value: number) => Array.from({ length: 60 }, (_, n) => sample(String(n), value))
  await update(lines, many(1), writer)
  let left = 1
  const failing = async (samples: readonly Sample[]) => {
    if (left-- === 0) throw new Error('full')
    return await writer.write(samples)
  }
  try {
    for await (const _piece of lines.update(many(2), failing));
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'full')
  }
  // Half of the lines are of the scrape that failed by now.
  await update(lines, many(1).with(59, sample('59', 3)), writer)
})

test.run()
