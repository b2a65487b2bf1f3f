/**
 * Goal: `rewrite edns0 local set` tells an upstream the same option as in CoreDNS. Method: a server that keeps what it is asked, and CoreDNS and neardns with
 * the same Corefile in front of it.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCorefileConfig } from '../../../src/cli/nodelocal/corefile-config.ts'
import { formatYaml } from '../../../src/config/yaml.ts'
import { lookup } from '../../support/client/dns-client.ts'
import { readMessage } from '../../support/client/dns-message.ts'
import { Coredns } from '../../support/coredns.ts'
import { freePort } from '../../support/free-port.ts'
import { Neardns } from '../../support/neardns.ts'
import { needing } from '../../support/needs.ts'

export const testTimeoutMs = 60_000

const test = needing(suite('real/plugins/edns-options'), 'coredns')

const corefile = (port: number, upstream: number) => `.:${port} {
    bind 127.0.0.1
    rewrite continue edns0 local set 0xffee 0xabcd
    rewrite continue edns0 local append 65001 site-7
    rewrite edns0 nsid unset
    forward . 127.0.0.1:${upstream} {
        max_fails 0
    }
}
`

/** The server denies everything, and keeps the OPT data of each question by its name. */
async function asked(): Promise<{ theirs: string; ours: string }> {
  const heard = new Map<string, string>()
  const server = createSocket('udp4', (query, { port, address }) => {
    const { questions, opt } = readMessage(query)
    const [{ name } = { name: '' }] = questions
    heard.set(name.toLowerCase().replace(/\.$/, ''), opt?.data ?? '')
    const reply = Buffer.from(query)
    reply.writeUInt16BE(0x8183, 2)
    server.send(reply, port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const upstream = server.address().port
  const directory = mkdtempSync(join(tmpdir(), 'neardns-edns-'))
  const [first, second] = [await freePort(), await freePort()]
  const read = await readCorefileConfig('Corefile', corefile(second, upstream))
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const config = join(directory, 'neardns.yaml')
  writeFileSync(config, formatYaml({ ...read.settings, admin: { listen: [] } }))
  const coredns = await Coredns.start({ corefile: corefile(first, upstream) })
  const neardns = await Neardns.start({ args: ['--config', config] })
  try {
    const host = '127.0.0.1'
    const options = { timeoutMs: 8000, ednsBytes: 1232 }
    await lookup({ host, port: first }, 'theirs.example', 'A', options)
    await lookup({ host, port: second }, 'ours.example', 'A', options)
    return { theirs: heard.get('theirs.example') ?? '', ours: heard.get('ours.example') ?? '' }
  } finally {
    await Promise.all([coredns.stop(), neardns.stop()])
    server.close()
    rmSync(directory, { recursive: true })
  }
}

test('the upstream gets the same options, in the same order', async () => {
  const { theirs, ours } = await asked()
  assert.is(ours, theirs)
  assert.is(ours, 'ffee0002abcdfde90006736974652d37')
})

test.run()
