/**
 * The parts of a made-up cluster that come and go while names are asked: each a row of states, one API object apart, so that
 * at any moment CoreDNS is in one of two neighbouring states. With the questions whose answers depend on them.
 */
import type { TypeName } from '../client/dns-message.ts'
import type { KubeObject, ResourceName } from '../world/kube-world.ts'

/** Puts one object there, or another in its place. */
export interface Step {
  readonly resource: ResourceName
  readonly object: KubeObject
}

export interface ChangingQuestion {
  /** `{}` stands for any label, which changes nothing about the answer: it is a denial in every state. */
  readonly name: string
  readonly type: TypeName
}

/** What comes and goes together. State k is the first k steps taken. */
export interface Unit {
  readonly title: string
  readonly steps: readonly Step[]
  readonly questions: readonly ChangingQuestion[]
}

const zone = 'cluster.local'
const pair = ['A', 'AAAA'] as const
const port = { name: 'http', port: 80, protocol: 'TCP' }

function service(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): Step {
  return { resource: 'services', object: { metadata: { name, namespace }, spec } }
}

function clusterIp(namespace: string, name: string, ips: readonly string[]): Step {
  const spec = { type: 'ClusterIP', clusterIP: ips[0], clusterIPs: ips, ports: [port] }
  return service(namespace, name, spec)
}

function headless(namespace: string, name: string): Step {
  const spec = { type: 'ClusterIP', clusterIP: 'None', clusterIPs: ['None'], ports: [port] }
  return service(namespace, name, spec)
}

function endpoints(namespace: string, name: string, hosts: readonly Host[]): Step {
  const object = {
    metadata: {
      name: `${name}-slice`,
      namespace,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType: 'IPv4',
    endpoints: hosts.map(({ hostname, address, ready }) => ({
      addresses: [address],
      hostname,
      conditions: { ready, serving: ready, terminating: false },
    })),
    ports: [port],
  }
  return { resource: 'endpointslices', object }
}

interface Host {
  readonly hostname: string
  readonly address: string
  readonly ready: boolean
}

function namespace(name: string): Step {
  return { resource: 'namespaces', object: { metadata: { name } } }
}

function ask(name: string, types: readonly TypeName[] = pair): ChangingQuestion[] {
  return types.map((type) => ({ name: name === '' ? zone : `${name}.${zone}`, type }))
}

/** All that depends on one Service, and what a search list makes of outside names that end in its name. */
function serviceQuestions(of: string, name: string): ChangingQuestion[] {
  const base = `${name}.${of}.svc`
  return [
    ...ask(base, [...pair, 'SRV', 'HTTPS', 'TXT', 'MX']),
    ...ask(`_http._tcp.${base}`, ['SRV', 'A']),
    ...ask(`http.tcp.${base}`, ['A']),
    ...ask(`_tcp.${base}`, ['A', 'SRV']),
    ...ask(`web-0.${base}`, [...pair, 'SRV']),
    ...ask(`ksyun.${base}`),
    ...ask(`{}.${base}`),
    ...ask(`www.{}.${base}`),
    ...ask(`{}.tcp.${base}`),
    ...ask(`a.b.{}.${base}`),
    ...ask(`us-1a.pin._zone.${base}`, ['A']),
  ]
}

function namespaceQuestions(name: string): ChangingQuestion[] {
  return [
    ...ask(`${name}.svc`, [...pair, 'SRV', 'TXT', 'SOA']),
    ...ask(`${name}.pod`),
    ...ask(`10-1-2-3.${name}.pod`),
    ...ask(`x.10-1-2-3.${name}.pod`, ['A']),
    ...ask(`nosuch.${name}.svc`),
    ...ask(`{}.${name}.svc`),
    ...ask(`www.{}.${name}.svc`),
    ...ask(`a.{}.tcp.${name}.svc`),
    ...ask(`{}.${name}.pod`),
  ]
}

/** @param teams existing namespaces that these may have Services in; four are used */
export function changingUnits(teams: readonly string[]): Unit[] {
  const [a = 'default', b = 'default', c = 'default', d = 'default'] = teams
  const host = (ready: boolean): Host => ({ hostname: 'web-0', address: '10.250.0.1', ready })
  const two = [host(true), { hostname: 'web-1', address: '10.250.0.2', ready: true }]
  return [
    {
      title: 'a Service called com',
      steps: [clusterIp(a, 'com', ['10.98.0.1']), endpoints(a, 'com', [host(true)])],
      questions: serviceQuestions(a, 'com'),
    },
    {
      title: 'a Service called net that gets a second family',
      steps: [clusterIp(b, 'net', ['10.98.0.2']), clusterIp(b, 'net', ['10.98.0.2', 'fd98::2'])],
      questions: serviceQuestions(b, 'net'),
    },
    {
      title: 'a headless Service whose endpoints become ready',
      steps: [
        headless(c, 'org'),
        endpoints(c, 'org', [host(false)]),
        endpoints(c, 'org', [host(true)]),
        endpoints(c, 'org', two),
      ],
      questions: [...serviceQuestions(c, 'org'), ...ask(`web-1.org.${c}.svc`)],
    },
    {
      title: 'a Service that is an alias',
      steps: [service(d, 'io', { type: 'ExternalName', externalName: 'www.example.test' })],
      questions: serviceQuestions(d, 'io'),
    },
    {
      title: 'a namespace called com, then a Service in it',
      steps: [
        namespace('com'),
        clusterIp('com', 'ksyun', ['10.98.0.3']),
        endpoints('com', 'ksyun', [host(true)]),
      ],
      questions: [...namespaceQuestions('com'), ...serviceQuestions('com', 'ksyun')],
    },
    {
      title: 'a namespace called de',
      steps: [namespace('de')],
      questions: namespaceQuestions('de'),
    },
  ]
}
