/**
 * Goal: the status page shows what the daemon says, says when it does not answer, finds it again, and shows names to holders of the token alone.
 * Method: the page from the real admin server in headless Chromium; what the daemon says comes from the test.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type AdminCall, jsonPage, type Page } from '../../../src/observe/admin-calls.ts'
import { AdminServer } from '../../../src/observe/admin-server.ts'
import { statusPage } from '../../../src/observe/page/status-page.ts'
import { liveOf } from '../../cli/operator/top/pictures.ts'
import { needs } from '../../support/needs.ts'
import { mustRun } from '../../support/process.ts'

export const testTimeoutMs = 120_000

const test = suite('observe/page/status-page')

/** The page's elements after some looks, in virtual time. @param say what the daemon says at look number `look` */
async function seen(say: (look: number) => Page): Promise<string> {
  let look = 0
  const call: AdminCall = {
    method: 'GET',
    path: '/v1/status',
    isOpen: true,
    answer: () => say(look++),
  }
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: new Map([['/', () => statusPage]]),
    calls: [call],
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  const profile = await mkdtemp(join(tmpdir(), 'neardns-page-'))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${profile}`,
    '--virtual-time-budget=9000',
    '--dump-dom',
  ]
  try {
    return await mustRun('chromium', [...flags, `http://127.0.0.1:${port}/`], { timeoutMs: 60_000 })
  } finally {
    await server.stop()
    await rm(profile, { recursive: true, force: true })
  }
}

const textOf = (dom: string, id: string) => new RegExp(`id="${id}"[^>]*>([^<]*)<`).exec(dom)?.[1]

/** Each look is a second later, with a hundred more queries. */
const later = (look: number) =>
  jsonPage(
    liveOf({
      atMs: 1_000_000 + 1000 * look,
      queries: 1000 + 100 * look,
      bySource: { cacheSuccess: 900 + 75 * look },
    }),
  )

test('it has no outside assets, and a policy that lets nothing else run', () => {
  assert.not.match(statusPage.body, /(?:src|href)=|url\(|@import|https?:/)
  assert.match(
    statusPage.headers?.['content-security-policy'] ?? '',
    /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/,
  )
})

test('numbers, rates and upstreams are shown, and nothing of names without the token', async () => {
  if (!needs('chromium')) return
  const dom = await seen(later)
  assert.is(textOf(dom, 'state'), 'ready')
  assert.equal([textOf(dom, 'qps'), textOf(dom, 'hits')], ['100', '75.0 %'])
  assert.match(dom, /<td>udp:\/\/10\.0\.0\.2:53<\/td><td>external<\/td><td class="bad">down<\/td>/)
  assert.match(dom, /id="line-qps" points="[\d., ]+"/)
  assert.match(dom, /id="private" hidden/)
  assert.not.match(dom, 'kubernetes.default')
})

test('a daemon that fails is said, and found again; one that is not ready, and one that nobody asks', async () => {
  if (!needs('chromium')) return
  const back = await seen((look) => (look === 1 ? { status: 500, body: 'no\n' } : later(look)))
  assert.is(textOf(back, 'state'), 'ready')
  const failing = await seen((look) => (look === 0 ? later(0) : { status: 500, body: 'no\n' }))
  assert.match(textOf(failing, 'state') ?? '', /^no answer \(status 500\); asking again in \d+ s$/)
  assert.is(textOf(failing, 'about'), 'neardns 1.2.3, up 1 min')
  const idle = await seen(() =>
    jsonPage(liveOf({ queries: 0, notReady: ['self-query: <b>no</b>'] })),
  )
  assert.is(textOf(idle, 'totals'), 'No query has come yet.')
  assert.equal(
    [textOf(idle, 'qps'), textOf(idle, 'hits'), textOf(idle, 'stale')],
    ['0.0', '-', '-'],
  )
  assert.is(textOf(idle, 'state'), 'not ready: self-query: &lt;b&gt;no&lt;/b&gt;')
})

test.run()
