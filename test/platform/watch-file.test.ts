/**
 * Goal: every way in which a configuration file changes on a node is noticed, once, and only whole texts are
 * reported. Method: real files, changed as kubelet, editors and DHCP clients do.
 */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FileWatcher } from '../../src/platform/watch-file.ts'
import { until } from '../support/process.ts'

const test = suite('platform/watch-file')
const periodMs = 20

interface Watched {
  readonly directory: string
  readonly path: string
  readonly seen: string[]
  readonly problems: string[]
  readonly watcher: FileWatcher
}

async function watching(
  known: string,
  body: (watched: Watched) => Promise<void>,
  { bytesMax = 1000, periodMs = 20 } = {},
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-watch-'))
  const path = join(directory, 'file')
  const seen: string[] = []
  const problems: string[] = []
  const watcher = new FileWatcher(
    {
      path,
      periodMs,
      bytesMax,
      onChange: (text) => seen.push(text),
      onProblem: (error) => problems.push(error.message),
    },
    known,
  )
  try {
    await body({ directory, path, seen, problems, watcher })
  } finally {
    watcher.stop()
    rmSync(directory, { recursive: true })
  }
}

const noticed = (seen: readonly string[], count: number) =>
  until(`change ${count}`, () => seen.length >= count)
/** Long enough for several looks, for what must not happen. */
const severalLooks = () => sleep(10 * periodMs)

test('a text that is known already is not reported', async () => {
  await watching('same', async ({ path, seen, watcher }) => {
    writeFileSync(path, 'same')
    watcher.start()
    await severalLooks()
    writeFileSync(path, 'same')
    await severalLooks()
    assert.equal(seen, [])
  })
})

test('a file rewritten in place is reported with its new text, once', async () => {
  await watching('one', async ({ path, seen, watcher }) => {
    writeFileSync(path, 'one')
    watcher.start()
    await severalLooks()
    writeFileSync(path, 'two')
    await noticed(seen, 1)
    await severalLooks()
    assert.equal(seen, ['two'])
  })
})

test('a file replaced by a rename is reported', async () => {
  await watching('one', async ({ directory, path, seen, watcher }) => {
    writeFileSync(path, 'one')
    watcher.start()
    await severalLooks()
    writeFileSync(join(directory, 'new'), 'two')
    renameSync(join(directory, 'new'), path)
    await noticed(seen, 1)
    assert.equal(seen, ['two'])
  })
})

test('a ConfigMap volume is followed: its directory link is swapped under the file link', async () => {
  await watching('one', async ({ directory, path, seen, watcher }) => {
    const version = (name: string, text: string) => {
      mkdirSync(join(directory, name))
      writeFileSync(join(directory, name, 'file'), text)
      symlinkSync(name, join(directory, '..data_tmp'))
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
    }
    version('..2026_11_23_1', 'one')
    symlinkSync('..data/file', path)
    watcher.start()
    await severalLooks()
    version('..2026_11_23_2', 'two')
    rmSync(join(directory, '..2026_11_23_1'), { recursive: true })
    await noticed(seen, 1)
    version('..2026_11_23_3', 'three')
    await noticed(seen, 2)
    assert.equal(seen, ['two', 'three'])
  })
})

test('a change that leaves size and modification time as they were is noticed', async () => {
  await watching('aaa', async ({ path, seen, watcher }) => {
    const stamp = new Date('2026-01-01T00:00:00Z')
    writeFileSync(path, 'aaa')
    utimesSync(path, stamp, stamp)
    watcher.start()
    await severalLooks()
    writeFileSync(path, 'bbb')
    utimesSync(path, stamp, stamp)
    await noticed(seen, 1)
    assert.equal(seen, ['bbb'])
  })
})

test('a file that is not there is a problem told once; when it appears, it is a change', async () => {
  await watching('', async ({ path, seen, problems, watcher }) => {
    watcher.start()
    await severalLooks()
    assert.is(problems.length, 1)
    writeFileSync(path, 'here')
    await noticed(seen, 1)
    assert.equal(seen, ['here'])
  })
})

test('a file that disappears and comes back the same is no change', async () => {
  await watching('one', async ({ path, seen, problems, watcher }) => {
    writeFileSync(path, 'one')
    watcher.start()
    await severalLooks()
    unlinkSync(path)
    await until('the problem', () => problems.length === 1)
    writeFileSync(path, 'one')
    await severalLooks()
    assert.equal(seen, [])
    unlinkSync(path)
    await until('the second problem', () => problems.length === 2)
  })
})

test('half a text is not reported while its writer is at work', async () => {
  await watching('one', async ({ path, seen, watcher }) => {
    writeFileSync(path, 'one')
    watcher.start()
    await severalLooks()
    truncateSync(path)
    for (let part = 0; part < 20; part++) {
      appendFileSync(path, `${part},`)
      await sleep(periodMs / 2)
    }
    await noticed(seen, 1)
    const whole = `${Array.from({ length: 20 }, (_, part) => part).join(',')},`
    await until('the whole text', () => seen.at(-1) === whole)
    assert.not(seen.includes(''), 'the empty file was reported')
  })
})

test('a file that is too large, a directory and a device are problems, and not read', async () => {
  await watching('one', async ({ path, seen, problems, watcher }) => {
    writeFileSync(path, 'x'.repeat(1001))
    watcher.start()
    await until('the first problem', () => problems.length === 1)
    unlinkSync(path)
    mkdirSync(path)
    await severalLooks()
    rmSync(path, { recursive: true })
    symlinkSync('/dev/zero', path)
    await severalLooks()
    unlinkSync(path)
    writeFileSync(path, 'small')
    await noticed(seen, 1)
    assert.equal(seen, ['small'])
    assert.match(problems[0] ?? '', /larger than 1000/)
  })
})

test('a look out of turn ends when the text of now is in force, and no half text is taken for one', async () => {
  await watching(
    'one',
    async ({ path, seen, problems, watcher }) => {
      writeFileSync(path, 'one')
      const looked = async () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        watcher.lookNow(resolve)
        await promise
      }
      watcher.start()
      await looked()
      assert.equal(seen, [])
      writeFileSync(path, 'two')
      await Promise.all([looked(), looked()])
      assert.equal(seen, ['two'])
      unlinkSync(path)
      await looked()
      assert.equal([seen.length, problems.length], [1, 1])
    },
    { periodMs: 60_000 },
  )
})

test('after stop nothing is reported, whatever happens to the file', async () => {
  await watching('one', async ({ path, seen, watcher }) => {
    writeFileSync(path, 'two')
    watcher.start()
    watcher.stop()
    await severalLooks()
    assert.equal(seen, [])
    watcher.start()
    await noticed(seen, 1)
  })
})

test.run()
