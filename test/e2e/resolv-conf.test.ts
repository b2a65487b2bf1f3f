/**
 * Goal: the daemon uses what resolv.conf says, also link-local servers, and keeps what it had while the file says nothing. Method: the
 * daemon as a process in a network namespace with a link of its own, dnsmasq behind it at port 53.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { builtProgram } from '../support/built-program.ts'
import { Neardns } from '../support/neardns.ts'
import { needs } from '../support/needs.ts'
import { Child, runToEnd, until } from '../support/process.ts'
import { Netns } from '../support/world/netns.ts'

const test = suite('e2e/resolv-conf')
export const testTimeoutMs = 60_000

interface Scene {
  readonly neardns: Neardns
  /** Number of the link `up1`. */
  readonly linkNumber: number
  readonly write: (text: string) => void
  readonly ask: (name: string, flags?: string[]) => Promise<string>
}

async function withScene(first: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  const netns = await Netns.create('resolv')
  const folder = mkdtempSync(join(tmpdir(), 'neardns-resolv-'))
  const file = join(folder, 'resolv.conf')
  const write = (text: string) => writeFileSync(file, text)
  try {
    await netns.ip('link', 'add', 'up1', 'type', 'veth', 'peer', 'name', 'up2')
    for (const link of ['up1', 'up2']) await netns.ip('link', 'set', link, 'up')
    await netns.ip('addr', 'add', 'fe80::53/64', 'dev', 'up1', 'nodad')
    const linkNumber = Number(/^(\d+): up1@/.exec(await netns.ip('-o', 'link', 'show', 'up1'))?.[1])
    const flags = ['-k', '-C', '/dev/null', '-R', '-h', '--log-queries', '--log-facility=-']
    const server = new Child('dnsmasq', [...flags, '--address=/#/192.0.2.53'], {
      netns: netns.name,
    })
    await server.line((line) => line.includes('started'), 10_000)
    write(first.replaceAll('NUMBER', String(linkNumber)))
    const settings = { external: { resolvConf: file }, listen: ['127.0.0.1:5300'] }
    writeFileSync(join(folder, 'neardns.yaml'), JSON.stringify(settings))
    const args = ['--config', join(folder, 'neardns.yaml')]
    const neardns = await Neardns.start({ args, netns: netns.name })
    const ask = async (name: string, flags = ['--server', '127.0.0.1:5300']) => {
      const words = [builtProgram(), 'query', name, ...flags]
      return (await runToEnd(process.execPath, words, { netns: netns.name })).output
    }
    await body({ neardns, linkNumber, write, ask })
    await neardns.stop()
    await server.stop()
  } finally {
    rmSync(folder, { recursive: true })
    await netns.remove()
  }
}

for (const [how, text] of [
  ['over UDP, by the name of its link', 'nameserver fe80::53%up1\n'],
  ['over UDP, by the number of its link', 'nameserver fe80::53%NUMBER\n'],
  ['over TCP', 'nameserver fe80::53%up1\noptions use-vc\n'],
  ['over TCP, by number', 'nameserver fe80::53%NUMBER\noptions use-vc\n'],
] as const) {
  test(`a link-local server is asked ${how}`, async () => {
    if (!needs('netns', 'dnsmasq')) return
    await withScene(text, async ({ ask }) => {
      assert.match(await ask('www.example'), /www\.example\. .* A {2}192\.0\.2\.53/)
    })
  })
}

test('a link-local server is asked by the tool `query`, over UDP and TCP', async () => {
  if (!needs('netns', 'dnsmasq')) return
  await withScene('', async ({ ask, linkNumber }) => {
    for (const zone of ['up1', linkNumber]) {
      for (const flags of [[], ['--tcp']]) {
        const output = await ask('www.example', ['--server', `fe80::53%${zone}`, ...flags])
        assert.match(output, /192\.0\.2\.53/)
      }
    }
  })
})

test('a file without servers leaves the old ones in force, and says so', async () => {
  if (!needs('netns', 'dnsmasq')) return
  await withScene('nameserver 127.0.0.1\n', async ({ neardns, write, ask }) => {
    for (const [index, text] of ['', '# nothing\n', 'nameserver\n', 'search a.b\n'].entries()) {
      write(text)
      const said = () =>
        neardns.log().filter(({ msg }) => msg?.includes('those that it named before')).length
      await until(`${JSON.stringify(text)} was read`, () => said() > index, {
        timeoutMs: 10_000,
      })
      assert.match(await ask(`after-${index}.example`), /192\.0\.2\.53/)
    }
  })
})

test('a question that no server of the old file can be asked is answered by those of the new one', async () => {
  if (!needs('netns', 'dnsmasq')) return
  // There is no way to it.
  await withScene('nameserver 192.0.2.1\n', async ({ write, ask }) => {
    assert.match(await ask('before.example'), /SERVFAIL/)
    write('nameserver 127.0.0.1\n')
    const said = await ask('after.example')
    assert.match(said, /192\.0\.2\.53/, said)
  })
})

test.run()
