/**
 * A page in headless Chromium that a test can type into and look at: starts the browser with the DevTools protocol on a port of its own
 * choice, speaks the few calls that are needed, ends it and removes its profile.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, until } from './process.ts'

export interface Look {
  /** CSS pixels. */
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'dark' | 'light'
}

interface Reply {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly result?: unknown
}

export class BrowserPage {
  private readonly child: Child
  private readonly profile: string
  private readonly socket: WebSocket
  private readonly waiting = new Map<number, (reply: Reply) => void>()
  private sent = 0

  private constructor(child: Child, profile: string, socket: WebSocket) {
    this.child = child
    this.profile = profile
    this.socket = socket
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply
      if (reply.id !== undefined) this.waiting.get(reply.id)?.(reply)
    })
  }

  static async open(url: string): Promise<BrowserPage> {
    const profile = await mkdtemp(join(tmpdir(), 'neardns-browser-'))
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars']
    const child = new Child('chromium', [
      ...flags,
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      url,
    ])
    let address = ''
    await until(
      'a page in the browser',
      async () => {
        address = await addressIn(profile)
        return address !== ''
      },
      { timeoutMs: 60_000 },
    )
    const socket = new WebSocket(address)
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('no DevTools')))
    })
    return new BrowserPage(child, profile, socket)
  }

  /** @returns the value of a JavaScript expression in the page, as text */
  async value(expression: string): Promise<string> {
    const { result } = (await this.call('Runtime.evaluate', {
      expression: `String(${expression})`,
      awaitPromise: true,
    })) as { result: { value?: string; description?: string } }
    return result.value ?? result.description ?? ''
  }

  /** What stands in the element. */
  text(id: string): Promise<string> {
    return this.value(`document.getElementById('${id}').innerText`)
  }

  /** Types into the element that has the focus after a click on `id`, and presses Enter. */
  async enter(id: string, text: string): Promise<void> {
    await this.value(`document.getElementById('${id}').focus()`)
    await this.call('Input.insertText', { text })
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' }
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', ...key })
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...key })
  }

  async reload(): Promise<void> {
    await this.call('Page.reload', {})
  }

  async lookAs({ width = 1200, height = 900, scheme = 'light' }: Look): Promise<void> {
    await this.call('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, deviceScaleFactor: 1, mobile: width < 600 },
    })
    await this.call('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    })
  }

  /** @returns a PNG of the whole page */
  async picture(): Promise<Buffer> {
    const { data } = (await this.call('Page.captureScreenshot', {
      captureBeyondViewport: true,
    })) as { data: string }
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.child.stop()
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 })
  }

  private call(method: string, params: object): Promise<unknown> {
    const id = ++this.sent
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ error, result }) => {
        this.waiting.delete(id)
        if (error === undefined) resolve(result)
        else reject(new Error(`${method}: ${error.message}`))
      })
      this.socket.send(JSON.stringify({ id, method, params }))
    })
  }
}

/** @returns empty as long as there is no page */
async function addressIn(profile: string): Promise<string> {
  const [port = ''] = (
    await readFile(join(profile, 'DevToolsActivePort'), 'utf8').catch(() => '')
  ).split('\n')
  if (port === '') return ''
  const response = await fetch(`http://127.0.0.1:${port}/json/list`)
  const targets = (await response.json()) as { type: string; webSocketDebuggerUrl: string }[]
  return targets.find(({ type }) => type === 'page')?.webSocketDebuggerUrl ?? ''
}
