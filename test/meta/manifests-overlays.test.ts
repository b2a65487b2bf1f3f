// Goal: every overlay builds, is valid, makes a configuration that the daemon takes, and is the same thing as the chart with the
// overlay's values. Method: real kustomize on each directory, compared with real helm object by object.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stringify } from 'yaml'
import { helmTemplate, overlays } from '../../manifests/generate.ts'
import { formatEndpoint } from '../../src/address/endpoint.ts'
import type { Config } from '../../src/config/schema.ts'
import {
  configOf,
  daemonSetOf,
  documentsOf,
  find,
  kubeconform,
  kustomizeBuild,
  type Manifest,
  manifestsRoot,
} from '../support/manifests.ts'
import { needing } from '../support/needs.ts'

export const testTimeoutMs = 60_000

const test = needing(suite('manifests/overlays'), 'helm', 'kustomize', 'kubeconform')

/** Those of CoreDNS's own are tested where they are made. */
const all = readdirSync(join(manifestsRoot, 'overlays'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('coredns'))
  .map(({ name }) => name)
const directoryOf = (overlay: string) => join(manifestsRoot, 'overlays', overlay)
const built = (overlay: string) => documentsOf(kustomizeBuild(directoryOf(overlay)))
const variables = {
  KUBE_DNS_UPSTREAM_SERVICE_HOST: '10.96.77.7',
  NODE_IP: '192.0.2.4',
  POD_IP: '10.244.1.9',
}

function configFrom(overlay: string): Config {
  const result = configOf(built(overlay), variables)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.config
}

/** By kind and name, without the labels that only helm sets, for a comparison that a reader can follow. */
function comparable(documents: readonly Manifest[]): Record<string, string> {
  const entries = documents.map((one) => {
    const { 'helm.sh/chart': _chart, ...more } = one.metadata.labels ?? {}
    const { 'app.kubernetes.io/managed-by': _manager, ...labels } = more
    const object = { ...one, metadata: { ...one.metadata, labels } }
    return [
      `${one.kind}/${one.metadata.name}`,
      stringify(object, { sortMapEntries: true }),
    ] as const
  })
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

test('`kubectl apply -k manifests/` sends what the chart makes with its defaults', () => {
  const ours = documentsOf(kustomizeBuild(manifestsRoot))
  assert.equal(comparable(ours), comparable(documentsOf(helmTemplate([]))))
})

for (const overlay of all) {
  test(`overlay ${overlay} is valid, and its configuration has no mistake`, () => {
    const text = kustomizeBuild(directoryOf(overlay))
    assert.is(kubeconform(text, 'v1.37.2'), '')
    for (const { kind, metadata } of documentsOf(text)) {
      const isOfTheCluster = /^Cluster|Policy(Binding)?$|^NodeReadinessRule$/.test(kind)
      if (!isOfTheCluster) assert.is(metadata.namespace, 'kube-system', kind)
    }
    configFrom(overlay)
  })
}

test('an overlay with values is what the chart makes of them', () => {
  assert.ok(overlays().length >= 8)
  for (const overlay of overlays()) {
    const fromChart = documentsOf(helmTemplate([join(directoryOf(overlay), 'values.yaml')]))
    assert.equal(comparable(built(overlay)), comparable(fromChart), overlay)
  }
})

test('every overlay and every component has its section in the documents', () => {
  const text = readFileSync(join(manifestsRoot, 'overlays/README.md'), 'utf8')
  const sections = [...text.matchAll(/^## (\S+)$/gm)].map((match) => match[1])
  for (const overlay of all) assert.ok(sections.includes(overlay), overlay)
  const components = readdirSync(join(manifestsRoot, 'components'))
  for (const component of components) assert.match(text, `components/${component}`)
  // When, what, verify, undo: nobody should have to read YAML to know.
  for (const section of text.split(/^## /m).slice(1)) {
    if (!all.includes(section.split('\n', 1)[0] ?? '')) continue
    for (const word of ['**When.**', '**What.**', '**Verify.**', '**Undo.**'])
      assert.ok(section.includes(word), `${section.split('\n', 1)[0]}: ${word}`)
  }
})

test('the ClusterIP is listened on and taken over, and nothing else changes', () => {
  const config = configFrom('cluster-ip')
  assert.equal(config.listen.map(formatEndpoint), ['169.254.20.10:53', '10.96.0.10:53'])
  assert.equal(
    config.interception.clusterIps.map(({ address }) => address),
    ['10.96.0.10'],
  )
})

test('the modes are what the names of the overlays say', () => {
  assert.is(configFrom('kube-proxy-iptables').interception.mode, 'iptables')
  assert.is(configFrom('kube-proxy-nftables').interception.mode, 'nftables')
  assert.is(configFrom('kube-proxy-ipvs').interception.mode, 'auto')
  assert.is(configFrom('cilium-local-redirect').interception.mode, 'none')
  assert.is(configFrom('leave-nothing').interception.onStop, 'remove')
  const families = (overlay: string) => configFrom(overlay).listen.map(({ family }) => family)
  assert.equal(families('dual-stack'), [4, 6])
  assert.equal(families('ipv6'), [6])
})

test('the image that base/kustomization.yaml names is the one of every overlay', () => {
  for (const overlay of all) {
    assert.is(daemonSetOf(built(overlay)).spec.template.spec.containers[0].image, 'neardns:0.1.0')
  }
})

test('components can be put on top of any overlay by a kustomization of the user', () => {
  const text = kustomizeBuild(join(import.meta.dirname, '../fixtures/manifests/combined'))
  assert.is(kubeconform(text, 'v1.37.2'), '')
  const documents = documentsOf(text)
  const { updateStrategy, template } = daemonSetOf(documents).spec
  assert.equal(updateStrategy.rollingUpdate, { maxSurge: 0, maxUnavailable: 1 })
  const service = find(documents, 'Service') as unknown as { spec: { trafficDistribution: string } }
  assert.is(service.spec.trafficDistribution, 'PreferSameZone')
  assert.equal(template.spec.securityContext['seLinuxOptions'], { type: 'spc_t' })
  const corefile = template.spec.volumes.find(({ name }) => name === 'corefile')
  assert.is(corefile?.configMap?.name, 'rke2-coredns-rke2-coredns')
  assert.not.ok(documents.some(({ metadata }) => metadata.name === 'neardns-parameters'))
  const result = configOf(documents, variables)
  assert.ok(result.ok && result.config.interception.clusterIps.length === 1)
})

test('the reporter of the startup taint asks the page that gates the roll-out', () => {
  const documents = built('startup-taint')
  const reporter = find(documents, 'DaemonSet', 'neardns-reporter') as unknown as {
    spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } }
  }
  const values = reporter.spec.template.spec.containers[0]?.env ?? []
  const variable = (name: string) => values.find((one) => one.name === name)?.value
  const probe = daemonSetOf(documents).spec.template.spec.containers[0].readinessProbe.httpGet
  assert.is(variable('CHECK_ENDPOINT'), `http://$(NODE_IP):${probe.port}${probe.path}`)
  const rule = find(documents, 'NodeReadinessRule') as unknown as {
    spec: { conditions: { type: string }[]; taint: { key: string } }
  }
  assert.is(rule.spec.conditions[0]?.type, variable('CONDITION_TYPE'))
  // What the API of the rule demands.
  assert.match(rule.spec.taint.key, /^readiness\.k8s\.io\/[A-Za-z0-9]+$/)
})

test.run()
