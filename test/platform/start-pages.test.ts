/** Goal: only memory that its file can give again is unmapped. Method: lists as kernels write them; then a real process that goes on. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { droppableMappings } from '../../src/platform/start-pages.ts'
import { mustRun } from '../support/process.ts'

const test = suite('platform/start-pages')

const inode = '00:1a 4711 /usr/bin/node'

/** One entry of smaps, shortened. */
function entry(head: string, rssKilobytes: number, anonymousKilobytes: number): string {
  return `${head}
Size:               9000 kB
Rss:            ${String(rssKilobytes).padStart(8)} kB
Anonymous:      ${String(anonymousKilobytes).padStart(8)} kB
AnonHugePages:         0 kB
VmFlags: rd ex mr mw me sd
`
}

test('text and constants of files are, with address, length and what is resident', () => {
  const smaps =
    entry(`00400000-0082e000 r--p 00000000 ${inode}`, 4280, 0) +
    entry(`7f81d6ac0000-7f81d6cd5000 r-xp 01627000 ${inode} (deleted)`, 2084, 0)
  assert.equal(droppableMappings(smaps), [
    { address: 0x400000n, length: 0x42e000, residentBytes: 4280 * 1024 },
    { address: 0x7f81d6ac0000n, length: 0x215000, residentBytes: 2084 * 1024 },
  ])
})

const kept: Readonly<Record<string, string>> = {
  'what the linker or a probe wrote to': entry(`400000-82e000 r--p 0 ${inode}`, 4280, 4),
  'what can be written to': entry(`400000-82e000 rw-p 0 ${inode}`, 4280, 0),
  'what others may write to': entry(`400000-82e000 r--s 0 ${inode}`, 4280, 0),
  'memory of no file': entry('38004000-3971d000 r--p 00000000 00:00 0 ', 4280, 0),
  'compiled code': entry('400000-82e000 r-xp 00000000 00:00 0 [anon:v8]', 4280, 0),
  'what is hardly resident': entry(`400000-82e000 r-xp 0 ${inode}`, 508, 0),
  'an entry without sizes': `400000-82e000 r-xp 0 ${inode}\nSize: 9000 kB\n`,
  'no list': '',
}
for (const [what, smaps] of Object.entries(kept)) {
  test(`${what} stays`, () => assert.equal(droppableMappings(smaps), []))
}

test('a process that does it is smaller and computes what it did before', async () => {
  const source = (path: string) =>
    JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
  const script = `
    import { createHash } from 'node:crypto'
    import { readFileSync } from 'node:fs'
    import { loadSystemCalls } from ${source('system/system-calls.ts')}
    import { dropStartPages } from ${source('platform/start-pages.ts')}
    const filePages = () => Number(/^RssFile:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
    const compute = async () => [
      'straße Ω'.localeCompare('strasse', 'de'), new Date(0).toLocaleString('de', { timeZone: 'Asia/Tokyo' }),
      createHash('sha512').update('x').digest('hex'), JSON.stringify(new URL('http://ex%41mple/ä')),
      Object.keys(await import('node:tls')).length, new Function('return 6 * 7')(),
    ].join()
    const { dropPages } = loadSystemCalls()
    const before = { text: await compute(), kilobytes: filePages() }
    const bytes = await dropStartPages(dropPages)
    const kilobytes = filePages()
    console.log(await compute() === before.text, bytes / 1024, before.kilobytes, kilobytes)`
  const args = ['--input-type=module-typescript', '-e', script]
  const [isSame, dropped, before, after] = (await mustRun(process.execPath, args)).split(' ')
  assert.is(isSame, 'true')
  assert.ok(Number(dropped) > 10_240, `${dropped} KiB unmapped`)
  assert.ok(Number(before) - Number(after) > 10_240, `${before} KiB before, ${after} after`)
})

test.run()
