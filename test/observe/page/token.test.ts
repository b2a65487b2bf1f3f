/*
 * Goal: who opens the status page of a daemon sees sums, and sees names, clients and slow queries with the right token alone, for as long as
 * the page is open. Method: the daemon with its own access rules, a token file, slow and failing upstreams, and a browser that types.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type House, withHouse, zone } from '../../e2e/support.ts'
import { BrowserPage } from '../../support/browser.ts'
import { needs } from '../../support/needs.ts'
import { until } from '../../support/process.ts'
import { delayed, failing } from '../../upstream/fake-upstream.ts'

export const testTimeoutMs = 120_000

const test = suite<{ folder: string }>('observe/page/token')

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'neardns-page-'))
})

test.after(({ folder }) => rmSync(folder, { recursive: true }))

const token = '0123456789abcdef0123456789abcdef'
const names = ['slow.example', 'fails.example', 'quick.example']

async function withPage(
  folder: string,
  body: (page: BrowserPage, house: House, tokenFile: string) => Promise<void>,
): Promise<void> {
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, `${token}\n`)
  const external = zone({
    'slow.example': delayed(600),
    'fails.example': failing(2),
    'quick.example': delayed(0),
  })
  const exchange = { hedge: { minMs: 2000, maxMs: 2000 } }
  const settings = { admin: { tokenFile, slowMs: 400 }, external: { exchange } }
  await withHouse({ external, settings }, async (house) => {
    for (const name of names) await house.lookup(name)
    const page = await BrowserPage.open(`${house.pages}/`)
    try {
      await shows(page, 'state', /^ready$/)
      await body(page, house, tokenFile)
    } finally {
      await page.close()
    }
  })
}

async function shows(page: BrowserPage, id: string, text: RegExp): Promise<void> {
  await until(`#${id} shows ${text}`, async () => text.test(await page.text(id)), {
    timeoutMs: 20_000,
    everyMs: 100,
  })
}

/** Everything that the page holds, shown or not. */
const whole = (page: BrowserPage) => page.value('document.documentElement.outerHTML')
const isHidden = (page: BrowserPage, id: string) =>
  page.value(`document.getElementById('${id}').hidden`)

test('a wrong token shows nothing, the right one shows names and slow queries, a reload forgets it', async ({
  folder,
}) => {
  if (!needs('chromium')) return
  await withPage(folder, async (page, house) => {
    await page.enter('secret', 'f'.repeat(32))
    await shows(page, 'refused', /does not take this token/)
    assert.is(await isHidden(page, 'private'), 'true')
    assert.not.match(await whole(page), /\.example/)

    await page.enter('secret', token)
    await shows(
      page,
      'slow',
      /slow\.example\.\s+A\s+NOERROR upstream\s+127\.0\.0\.1 udp\s+\d+ ms first to udp:/,
    )
    await shows(page, 'failed', /fails\.example\.\s+A\s+SERVFAIL/)
    assert.not.match(await page.text('slow'), /quick/)
    // Names are counted while somebody looks.
    await until(
      'names are counted',
      async () => {
        await house.lookup('quick.example')
        return /quick\.example\./.test(await page.text('names'))
      },
      { timeoutMs: 20_000, everyMs: 50 },
    )
    assert.match(await page.text('given'), /admin\.slowMs\s+400\s+test\.yaml:1/)
    assert.is(await page.text('refused'), '')
    assert.equal(
      [
        await page.value('document.cookie'),
        await page.value('localStorage.length + sessionStorage.length'),
      ],
      ['', '0'],
    )
    assert.not.match(await page.value('location.href'), token)
    assert.not.match(await whole(page), token)

    await page.reload()
    await shows(page, 'state', /^ready$/)
    assert.is(await isHidden(page, 'private'), 'true')
    assert.not.match(await whole(page), /\.example/)
  })
})

test('a token that is changed on the node, or forgotten in the page, shows nothing more', async ({
  folder,
}) => {
  if (!needs('chromium')) return
  await withPage(folder, async (page, _house, tokenFile) => {
    await page.enter('secret', token)
    await shows(page, 'slow', /slow\.example/)
    writeFileSync(tokenFile, `${'9'.repeat(32)}\n`)
    await shows(page, 'refused', /does not take this token/)
    assert.not.match(await whole(page), /\.example/)

    await page.enter('secret', '9'.repeat(32))
    await shows(page, 'slow', /slow\.example/)
    await page.value("document.getElementById('forget').click()")
    assert.is(await isHidden(page, 'token'), 'false')
    assert.not.match(await whole(page), /\.example/)
  })
})

test.run()
