/**
 * Goal: what we propose for CoreDNS fits neardns, fits itself, and never takes the place of a Corefile that is there.
 * Method: the overlays' files compared with each other; the Corefile judged by neardns's own reading of Corefiles and run by
 * two real versions of CoreDNS, which are asked over one connection before and while they end.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, parseAllDocuments } from 'yaml'
import { parseCorefile } from '../../src/corefile/corefile.ts'
import { judgeCorefile } from '../../src/corefile/trust.ts'
import { TcpClient } from '../support/client/dns-client.ts'
import { readMessage, writeQuery } from '../support/client/dns-message.ts'
import { Coredns, untilReady } from '../support/coredns.ts'
import { freePort } from '../support/free-port.ts'
import { schemaMistakes } from '../support/kubernetes-schema.ts'
import { corednsOlderVersion, corednsVersion, needs } from '../support/needs.ts'
import { KubeApi } from '../support/world/kube-api.ts'
import { makeKubeWorld } from '../support/world/kube-world.ts'

export const testTimeoutMs = 120_000

const overlays = join(import.meta.dirname, '../../manifests/overlays')
const folders = readdirSync(overlays).filter((name) => name.startsWith('coredns'))
const test = suite('meta/coredns-overlay')

const read = (path: string) => readFileSync(join(overlays, path), 'utf8')

interface Document {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: readonly { readonly resources: string[]; readonly resourceNames?: string[] }[]
  readonly data?: Readonly<Record<string, string>>
}

function documents(): Document[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(overlays, folder)).map((file) => `${folder}/${file}`),
  )
  return files
    .filter((file) => file.endsWith('.yaml') && !file.endsWith('/kustomization.yaml'))
    .flatMap((file) => parseAllDocuments(read(file)).map((one) => one.toJS() as Document))
}

/** The strategic merge patch for CoreDNS's own Deployment, which lacks what a Deployment must have. */
const isPatch = ({ kind, metadata }: Document) =>
  kind === 'Deployment' && metadata.name === 'coredns'

interface DeploymentPatch {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly replicas?: number
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly [
          {
            readonly name: string
            readonly image?: string
            readonly args?: readonly string[]
            readonly env: readonly { readonly name: string; readonly value: string }[]
            readonly resources: {
              readonly requests: { readonly memory: string }
              readonly limits: Readonly<Record<string, string>>
            }
          },
        ]
      }
    }
  }
}

const patch = () => parse(read('coredns/deployment.patch.yaml')) as DeploymentPatch
const corefile = read('coredns/Corefile')
const lameduckSeconds = Number(/lameduck (\d+)s/.exec(corefile)?.[1])

test('no overlay carries a Corefile, or any ConfigMap but the autoscaler’s', () => {
  assert.equal(folders.toSorted(), [
    'coredns',
    'coredns-autoscaler',
    'coredns-autoscaler-ladder',
    'coredns-autoscaler-linear',
  ])
  const maps = documents().filter(({ kind }) => kind === 'ConfigMap')
  assert.is(maps.length, 2)
  for (const { metadata, data } of maps) {
    assert.is(metadata.name, 'coredns-autoscaler')
    assert.not.ok(JSON.stringify(data).includes('Corefile'))
  }
  for (const folder of folders) {
    const lines = read(`${folder}/kustomization.yaml`).replaceAll(/^\s*#.*$/gm, '')
    assert.not.match(lines, /Corefile|configMapGenerator|configMapRef/)
  }
})

test('every object passes the Kubernetes schema without unknown fields', () => {
  const whole = documents().filter((document) => !isPatch(document))
  assert.is(whole.length, 9)
  for (const document of whole) assert.equal(schemaMistakes(document), [], document.metadata.name)
})

test('the patch leaves replicas, image and arguments to those who own them', () => {
  const { metadata, spec } = patch()
  const [container] = spec.template.spec.containers
  assert.is(metadata.name, 'coredns')
  assert.is(container.name, 'coredns')
  assert.is(spec.replicas, undefined)
  assert.is(container.image, undefined)
  assert.is(container.args, undefined)
})

test('the grace period is longer than lameduck and CoreDNS’s own 5 s', () => {
  assert.ok(patch().spec.template.spec.terminationGracePeriodSeconds >= lameduckSeconds + 5 + 5)
})

test('Go’s memory limit is nine tenths of the container’s, and there is no limit on CPU', () => {
  const [container] = patch().spec.template.spec.containers
  const mebibytes = (text: string | undefined) => Number(/^(\d+)Mi/.exec(text ?? '')?.[1])
  const limit = mebibytes(container.resources.limits['memory'])
  const go = mebibytes(container.env.find(({ name }) => name === 'GOMEMLIMIT')?.value)
  assert.ok(go > limit * 0.85 && go <= limit * 0.9, `${go} of ${limit}`)
  assert.ok(mebibytes(container.resources.requests.memory) < limit)
  assert.equal(Object.keys(container.resources.limits), ['memory'])
})

test('arguments, rights and ConfigMaps of the autoscaler name the same objects', () => {
  const deployment = read('coredns-autoscaler/deployment.yaml')
  assert.match(deployment, '- --configmap=coredns-autoscaler\n')
  assert.match(deployment, '- --target=deployment/coredns\n')
  assert.not.match(deployment, /^\s*- --default-params/m)
  const rules = documents().flatMap((document) => document.rules ?? [])
  const namesOf = (resource: string) =>
    rules.find(({ resources }) => resources.includes(resource))?.resourceNames
  assert.equal(namesOf('configmaps'), ['coredns-autoscaler'])
  assert.equal(namesOf('deployments/scale'), ['coredns'])
})

test('neardns trusts the Corefile, and no longer once autopath is in it', () => {
  const parsed = parseCorefile(corefile)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  assert.ok(parsed.ok && judgeCorefile(parsed, 'cluster.local').trusted)
  const worse = parseCorefile(
    corefile.replace('    ready\n', '    ready\n    autopath @kubernetes\n'),
  )
  assert.ok(worse.ok && !judgeCorefile(worse, 'cluster.local').trusted)
})

for (const [need, version] of [
  ['coredns', corednsVersion],
  ['coredns-older', corednsOlderVersion],
] as const) {
  if (!needs(need)) continue
  test(`CoreDNS ${version} takes the Corefile, and serves open connections for its lameduck`, async () => {
    const api = await KubeApi.start(makeKubeWorld(1))
    const ports = { dns: await freePort(), health: await freePort(), ready: await freePort() }
    const coredns = await Coredns.start({ version, corefile: movedTo(ports, api.url) })
    try {
      await untilReady(`http://127.0.0.1:${ports.ready}`)
      const client = await TcpClient.open({ host: '127.0.0.1', port: ports.dns })
      assert.ok(await answers(client, 1))
      process.kill(coredns.pid, 'SIGTERM')
      await delay(1000)
      assert.ok(await answers(client, 2), 'in lameduck')
      assert.not.ok(await isReady(ports.ready))
      await delay(2500)
      assert.not.ok(await answers(client, 3), 'after lameduck')
      client.socket.destroy()
    } finally {
      await coredns.stop()
      await api.stop()
    }
  })
}

/** The same Corefile on ports of ours, before an API server of ours, and with a lameduck of 2 s. */
function movedTo(ports: { dns: number; health: number; ready: number }, apiUrl: string): string {
  return corefile
    .replace('.:53 {', `.:${ports.dns} {\n    bind 127.0.0.1`)
    .replace('health {', `health 127.0.0.1:${ports.health} {`)
    .replace(/lameduck \w+/, 'lameduck 2s')
    .replace('    ready\n', `    ready 127.0.0.1:${ports.ready}\n`)
    .replace('pods insecure', `pods insecure\n        endpoint ${apiUrl}`)
    .replace('    prometheus :9153\n', '')
    .replace('forward . /etc/resolv.conf', 'forward . 127.0.0.1:9')
}

async function answers(client: TcpClient, id: number): Promise<boolean> {
  client.send(writeQuery('cluster.local', 'SOA', { id }))
  const reply = await client.next(1000)
  return reply !== undefined && readMessage(reply).rcode === 0
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/ready`)).ok
  } catch {
    return false
  }
}

test.run()
