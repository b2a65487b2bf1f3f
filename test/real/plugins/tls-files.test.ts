/**
 * Goal: `tls CERT KEY CA` of a `forward` does what it does in CoreDNS. Method: a real CoreDNS that serves DNS over TLS with a certificate which only
 * that CA has signed, and wants one of its clients; neardns and CoreDNS with the same Corefile in front of it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readCorefileConfig } from '../../../src/cli/nodelocal/corefile-config.ts'
import { formatYaml } from '../../../src/config/yaml.ts'
import { lookup } from '../../support/client/dns-client.ts'
import { Coredns } from '../../support/coredns.ts'
import { freePort } from '../../support/free-port.ts'
import { Neardns } from '../../support/neardns.ts'
import { needing } from '../../support/needs.ts'

export const testTimeoutMs = 60_000

const test = needing(suite('real/plugins/tls-files'), 'coredns')

const fixtures = join(import.meta.dirname, '../../fixtures/tls')
const [certificate, key] = [join(fixtures, 'cert.pem'), join(fixtures, 'key.pem')]

function front(port: number, upstream: number, files: string): string {
  return `.:${port} {
    bind 127.0.0.1
    forward . tls://127.0.0.1:${upstream} {
        tls ${files}
        tls_servername dns.test
    }
}
`
}

async function rcodes(files: string, upstream: number): Promise<(number | undefined)[]> {
  const directory = mkdtempSync(join(tmpdir(), 'neardns-tls-files-'))
  const [theirs, ours] = [await freePort(), await freePort()]
  const read = await readCorefileConfig('Corefile', front(ours, upstream, files))
  if (!read.ok) throw new Error(JSON.stringify(read.problems))
  const config = join(directory, 'neardns.yaml')
  writeFileSync(config, formatYaml({ ...read.settings, admin: { listen: [] } }))
  const coredns = await Coredns.start({ corefile: front(theirs, upstream, files) })
  const neardns = await Neardns.start({ args: ['--config', config] })
  try {
    const ask = (port: number) =>
      lookup({ host: '127.0.0.1', port }, 'www.example', 'A', { timeoutMs: 8000 })
    return (await Promise.all([theirs, ours].map(ask))).map((reply) => reply?.rcode)
  } finally {
    await Promise.all([coredns.stop(), neardns.stop()])
    rmSync(directory, { recursive: true })
  }
}

test('with CA, certificate and key the upstream answers; without the certificate it does not', async () => {
  const port = await freePort()
  const upstream = await Coredns.start({
    corefile: `tls://.:${port} {
    bind 127.0.0.1
    tls ${certificate} ${key} ${certificate} {
        client_auth require_and_verify
    }
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
}
`,
  })
  try {
    assert.equal(await rcodes(`${certificate} ${key} ${certificate}`, port), [0, 0])
    assert.equal(await rcodes(certificate, port), [2, 2])
  } finally {
    await upstream.stop()
  }
})

test.run()
