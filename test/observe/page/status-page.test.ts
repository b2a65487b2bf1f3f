/**
 * Goal: the status page shows what the daemon says, says when it does not answer, finds it again, and shows names to holders of the token alone.
 * Method: the page from the real admin server in headless Chromium; what the daemon says comes from the test.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tokenAccess } from '../../../src/observe/admin-access.ts'
import { type AdminCall, jsonPage, type Page } from '../../../src/observe/admin-calls.ts'
import { AdminServer } from '../../../src/observe/admin-server.ts'
import { statusPage } from '../../../src/observe/page/status-page.ts'
import { liveOf } from '../../cli/operator/top/pictures.ts'
import { BrowserPage } from '../../support/browser.ts'
import { needs } from '../../support/needs.ts'
import { mustRun, until } from '../../support/process.ts'

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

const token = '0123456789abcdef'

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

test('after a restart of the daemon, whose counts begin again, rates are those of the new one', async () => {
  if (!needs('chromium')) return
  const dom = await seen((look) =>
    look < 2
      ? later(look)
      : jsonPage(liveOf({ atMs: 1_000_000 + 1000 * look, queries: 0, cpuMs: 0, bySource: {} })),
  )
  assert.equal([textOf(dom, 'qps'), textOf(dom, 'hits')], ['0.0', '-'])
  const points = /id="line-hits" points="([^"]*)"/.exec(dom)?.[1]?.split(' ') ?? []
  assert.ok(points.every((point) => Number(point.split(',')[1]) <= 48))
})

test('a daemon that fails for a while is asked again with the token, and pale meanwhile', async () => {
  if (!needs('chromium')) return
  let isFailing = false
  const page = () => (isFailing ? { status: 500, body: 'no\n' } : jsonPage(liveOf({})))
  const none = () => (isFailing ? { status: 500, body: 'no\n' } : jsonPage({ queries: [] }))
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: new Map([['/', () => statusPage]]),
    calls: [
      { method: 'GET', path: '/v1/status', isOpen: true, answer: () => jsonPage(liveOf({})) },
      { method: 'GET', path: '/v1/top', answer: page },
      { method: 'GET', path: '/v1/slow', answer: none },
      { method: 'GET', path: '/v1/failures', answer: none },
      { method: 'GET', path: '/v1/config', answer: () => jsonPage({ settings: [], more: 0 }) },
    ],
    access: tokenAccess(() => token),
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  const browser = await BrowserPage.open(`http://127.0.0.1:${port}/`)
  const becomes = (what: string, expression: string, value: string) =>
    until(what, async () => (await browser.value(expression)) === value, {
      timeoutMs: 20_000,
      everyMs: 100,
    })
  try {
    await becomes('ready', "document.getElementById('state').innerText", 'ready')
    await browser.enter('secret', token)
    await becomes('shown', "document.getElementById('private').hidden", 'false')
    isFailing = true
    await becomes('pale', 'document.body.className', 'old')
    assert.match(await browser.text('state'), /^no answer \(status 500\); asking again in \d+ s$/)
    isFailing = false
    await becomes('back', 'document.body.className', '')
    assert.is(await browser.value("document.getElementById('private').hidden"), 'false')
    assert.match(await browser.text('names'), /kubernetes\.default/)
    assert.is(await browser.value("document.getElementById('slow').rows.length"), '0')
  } finally {
    await browser.close()
    await server.stop()
  }
})

test('a page that nobody sees asks nothing, and asks at once when it is seen; the configuration is read again after a reload alone', async () => {
  if (!needs('chromium')) return
  let appliedSeconds = 1
  const asked = { status: 0, config: 0 }
  const state = () => {
    asked.status += 1
    return jsonPage(liveOf({ reload: { ...liveOf({}).reload, appliedSeconds } }))
  }
  const none = () => jsonPage({ queries: [] })
  const server = new AdminServer({
    listen: { address: '127.0.0.1', port: 0 },
    pages: new Map([['/', () => statusPage]]),
    calls: [
      { method: 'GET', path: '/v1/status', isOpen: true, answer: state },
      { method: 'GET', path: '/v1/top', answer: () => jsonPage(liveOf({})) },
      { method: 'GET', path: '/v1/slow', answer: none },
      { method: 'GET', path: '/v1/failures', answer: none },
      {
        ...{ method: 'GET', path: '/v1/config' },
        answer: () => {
          asked.config += 1
          return jsonPage({ settings: [], more: 0 })
        },
      },
    ],
    access: tokenAccess(() => token),
    onDefect: () => undefined,
  })
  const { port } = await server.start()
  const browser = await BrowserPage.open(`http://127.0.0.1:${port}/`)
  const patience = { timeoutMs: 20_000, everyMs: 100 }
  const turn = (hidden: boolean) =>
    browser.value(`(Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }),
      document.dispatchEvent(new Event('visibilitychange')))`)
  try {
    await until(
      'the page is there',
      async () => (await browser.text('state')) === 'ready',
      patience,
    )
    await browser.enter('secret', token)
    await until('the configuration is read', () => asked.config === 1, patience)
    const first = asked.status
    await until('it is asked on', () => asked.status >= first + 3, patience)
    assert.is(asked.config, 1)
    appliedSeconds = 2
    await until('it is read again', () => asked.config === 2, patience)
    await turn(true)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const hidden = asked.status
    await new Promise((resolve) => setTimeout(resolve, 3500))
    assert.is(asked.status, hidden)
    await turn(false)
    await until('it asks again', () => asked.status >= hidden + 2, patience)
  } finally {
    await browser.close()
    await server.stop()
  }
})

test.run()
