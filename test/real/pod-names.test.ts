// Goal: the daemon names clients by what a real API server says, with the rights that the manifests give and no more. Method: a kube-apiserver with RBAC,
// pods of two nodes whose status the test writes, and the daemon's watch as a process with a token of a service account.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { documentsIn } from '../support/manifests.ts'
import { needing } from '../support/needs.ts'
import type { KubernetesObject } from '../support/world/kube-objects.ts'
import { KubeServer } from '../support/world/kube-server.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/pod-names'), 'kubernetes', 'root', 'netns', 'ip')

/** Of this test's own: the server is that of all files of this process. */
const space = 'pod-names'
const accountIn = (namespace: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'neardns', namespace },
})
const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: space } },
  accountIn(space),
  accountIn('kube-system'),
]
const rights = documentsIn('components/pod-names/rbac.yaml') as unknown as KubernetesObject[]

interface PodWish {
  readonly name: string
  readonly ip: string
  readonly node?: string
  readonly hostNetwork?: boolean
}

async function begin(server: KubeServer, wish: PodWish): Promise<void> {
  const { name, ip, node = 'named', hostNetwork = false } = wish
  const pod = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: space } },
    spec: {
      ...{ nodeName: node, hostNetwork, serviceAccountName: 'neardns' },
      containers: [{ name: 'one', image: 'none' }],
    },
  }
  await server.kubectl(['create', '-f', '-'], JSON.stringify(pod))
  const startTime = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const status = { phase: 'Running', startTime, podIP: ip, podIPs: [{ ip }] }
  const patch = ['patch', 'pod', name, '-n', space, '--subresource=status', '-p']
  await server.kubectl([...patch, JSON.stringify({ status })])
}

test('refused without the rights, then a list in pages, a watch, and an address that goes to another pod', async () => {
  const server = await KubeServer.shared({ serviceNetworks: ['10.96.0.0/16', 'fd96::/112'] })
  const folder = mkdtempSync(join(tmpdir(), 'neardns-pods-'))
  await server.apply(objects)
  await server.delete(rights)
  writeFileSync(
    join(folder, 'token'),
    await server.kubectl(['create', 'token', 'neardns', '-n', 'kube-system']),
  )
  copyFileSync(server.certificate, join(folder, 'ca.crt'))
  for (let i = 0; i < 21; i++) await begin(server, { name: `many-${i}`, ip: `10.7.1.${i}` })
  await begin(server, { name: 'first', ip: '10.7.0.1' })
  await begin(server, { name: 'elsewhere', ip: '10.7.0.2', node: 'other' })
  await begin(server, { name: 'of-node', ip: '192.0.2.9', hostNetwork: true })
  const program = join(import.meta.dirname, '../support/programs/pod-names.mjs')
  const addresses = ['10.7.1.0', '10.7.1.20', '10.7.0.1', '10.7.0.2', '192.0.2.9']
  const args = [program, server.url, folder, 'named', ...addresses]
  const child = server.beside(process.execPath, args)
  const line = (wanted: string) => child.line((one) => one.includes(wanted), 30_000)
  try {
    const user = 'system:serviceaccount:kube-system:neardns'
    await line(`trouble: HTTP status 403 pods is forbidden: User "${user}" cannot list resource`)
    await server.apply(rights)
    await line('read 23')
    await line(`${space}/many-0 ${space}/many-20 ${space}/first - -`)
    const gone = ['delete', 'pod', 'first', '-n', space, '--force', '--grace-period=0']
    await server.kubectl(gone)
    await begin(server, { name: 'second', ip: '10.7.0.1' })
    await line(`${space}/second - -`)
    assert.ok(child.running)
  } finally {
    await child.stop('SIGKILL')
    await server.kubectl(['delete', 'pods', '--all', '-n', space, '--force', '--grace-period=0'])
    await server.delete(rights)
    rmSync(folder, { recursive: true })
  }
})

test.run()
