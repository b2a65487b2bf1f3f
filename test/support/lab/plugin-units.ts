/**
 * Names that plugins beside `kubernetes` make, in groups that come and go together: below parents that CoreDNS denies, in zones
 * beside the cluster's, in stub zones, by wildcards. State 0 of each group is its absence.
 */
import type { ChangingQuestion } from './search-world.ts'

/** Texts that CoreDNS reads again by itself; `lines` and `blocks` are parts of its Corefile. */
export const sourceNames = ['hosts', 'lines', 'blocks', 'inside', 'outside', 'stub'] as const
export type SourceName = (typeof sourceNames)[number]

export interface PluginQuestion extends ChangingQuestion {
  /** Where the walk of a pod in `team-0` ends that begins with this name. */
  readonly absolute?: string
}

export interface PluginUnit {
  readonly title: string
  readonly source: SourceName
  /** What each state puts into the source. */
  readonly texts: readonly string[]
  readonly questions: readonly PluginQuestion[]
  /** Seconds that an answer of this group may be kept. */
  readonly ttl: number
}

/** Whether CoreDNS has names of the cluster domain by it that the kubernetes plugin has not. */
export function isInside({ source, title }: PluginUnit): boolean {
  return source !== 'stub' && title.endsWith(zone)
}

export const zone = 'cluster.local'
/** Domain of each stub zone, as neardns has it configured. */
export const stubZones = [`stub.${zone}`, 'stub.example.net'] as const
/** Names outside that always exist, whatever the label. */
export const staticDomain = 'static.example.com'
const searchDomains = [`team-0.svc.${zone}`, `svc.${zone}`, zone]
const pair = ['A', 'AAAA'] as const

/** With these the declaration that nothing else answers in the cluster domain is true. */
export const carveOuts = [
  'infra',
  'legacy.team-0.svc',
  'nobody.svc',
  'deep.team-1.svc',
  'team-1.pod',
  'com.team-0.svc',
  'com.svc',
  'nodes',
  'net.team-1.svc',
  'old',
  'org.team-2.svc',
  'gone',
  'corp',
].map((name) => `${name}.${zone}`)

export function pluginUnits(namesEach: number): PluginUnit[] {
  const names = Array.from({ length: namesEach }, (_, i) => `n${i}`)
  return [
    ...hostsUnits(names),
    ...lineUnits(names),
    blockUnit(names),
    ...zoneUnits('inside', `corp.${zone}`, names),
    ...zoneUnits('outside', 'lab.example.org', names),
    ...stubZones.flatMap((origin) => zoneUnits('stub', origin, names)),
  ]
}

/** Next steps of the walk that begins with `<name>.team-0.svc.cluster.local`. */
export function laterSteps(absolute: string): string[] {
  return [...searchDomains.slice(1).map((domain) => `${absolute}.${domain}`), absolute]
}

function ask(name: string): PluginQuestion[] {
  return pair.map((type) => ({ name, type }))
}

/** A name outside the cluster, as it is and as the first step of a pod's walk. */
function askOutside(name: string): PluginQuestion[] {
  return [...ask(name), ...firstStep(name)]
}

function firstStep(absolute: string): PluginQuestion[] {
  return pair.map((type) => ({ name: `${absolute}.${searchDomains[0]}`, type, absolute }))
}

/** What stands around the names of a group: its parents and others below them, which exist in no state. */
function around(parent: string): PluginQuestion[] {
  const labels = parent.split('.')
  const above = labels.slice(0, -2).map((_, i) => labels.slice(i).join('.'))
  return [
    ...above.flatMap(ask),
    ...above.flatMap((name) => ask(`{}.${name}`)),
    ...ask(`www.{}.${parent}`),
  ]
}

function hostsUnits(names: readonly string[]): PluginUnit[] {
  const inside = [
    'infra',
    'legacy.team-0.svc',
    'nobody.svc',
    'a.b.deep.team-1.svc',
    'team-1.pod',
  ].map((parent) => hostsUnit(`${parent}.${zone}`, names, ask, true))
  const steps = searchDomains.slice(0, 2).map((domain, step) => {
    const questions = (name: string) => [
      ...(step > 0 ? ask(name) : []),
      ...firstStep(name.slice(0, -domain.length - 1)),
    ]
    return hostsUnit(`step${step}.${staticDomain}.${domain}`, names, questions, false)
  })
  return [...inside, ...steps, hostsUnit('lan.example.com', names, askOutside, false)]
}

function hostsUnit(
  parent: string,
  names: readonly string[],
  questions: (name: string) => PluginQuestion[],
  isSurrounded: boolean,
): PluginUnit {
  const lines = (...addresses: readonly string[]) =>
    names.flatMap((name) => addresses.map((address) => `${address} ${name}.${parent}\n`)).join('')
  return {
    title: `hosts below ${parent}`,
    source: 'hosts',
    texts: ['', lines('10.1.0.1'), lines('10.1.0.2', 'fd01::2')],
    questions: [
      ...names.flatMap((name) => questions(`${name}.${parent}`)),
      ...(isSurrounded ? around(parent) : []),
    ],
    ttl: 5,
  }
}

function lineUnits(names: readonly string[]): PluginUnit[] {
  const templates = ['nodes', 'net.team-1.svc'].map((parent) => ({
    ...lineUnit('template', `${parent}.${zone}`, names, ask),
    texts: ['', template(`${parent}.${zone}`, 1), template(`${parent}.${zone}`, 2)],
  }))
  const rewrites = ['old', 'org.team-2.svc'].map((parent) => ({
    ...lineUnit('rewrite', `${parent}.${zone}`, names, ask),
    texts: ['', rewrite(`${parent}.${zone}`)],
  }))
  const outside = 'tpl.example.io'
  return [
    ...templates,
    ...rewrites,
    {
      ...lineUnit('template', outside, names, askOutside),
      texts: ['', template(outside, 1), template(outside, 2)],
    },
  ]
}

function lineUnit(
  plugin: string,
  parent: string,
  names: readonly string[],
  questions: (name: string) => PluginQuestion[],
): Omit<PluginUnit, 'texts'> {
  const isInside = parent.endsWith(zone)
  return {
    title: `${plugin} below ${parent}`,
    source: 'lines',
    questions: [
      ...names.flatMap((name) => questions(`${name}.${parent}`)),
      ...(isInside ? around(parent) : []),
    ],
    ttl: 5,
  }
}

/** Names `n<number>` below `parent`, of both families. */
function template(parent: string, n: number): string {
  const match = `^n[0-9]+\\.${parent.replaceAll('.', '\\.')}\\.$`
  const block = (type: string, address: string) =>
    `  template IN ${type} ${parent} {\n    match "${match}"\n    answer "{{ .Name }} 5 IN ${type} ${address}"\n    fallthrough\n  }\n`
  return block('A', `10.2.0.${n}`) + block('AAAA', `fd02::${n}`)
}

function rewrite(parent: string): string {
  return `  rewrite name suffix .${parent} .${staticDomain} answer auto\n`
}

/** A server block for a part of the cluster domain that comes and goes. */
function blockUnit(names: readonly string[]): PluginUnit {
  const parent = `gone.${zone}`
  const block = `${parent}:PORT {\n  bind 127.0.0.1\n${template(parent, 3)}}\n`
  return {
    title: `server block for ${parent}`,
    source: 'blocks',
    texts: ['', block],
    questions: names.flatMap((name) => ask(`${name}.${parent}`)).concat(ask(parent)),
    ttl: 5,
  }
}

/** The groups of one zone file, served as `origin`. */
function zoneUnits(source: SourceName, origin: string, names: readonly string[]): PluginUnit[] {
  const questions = origin.endsWith(zone) ? ask : askOutside
  const ttl = source === 'outside' ? 2 : 5
  const one = (title: string, texts: readonly string[], asked: readonly string[]) => ({
    title: `${title} in ${origin}`,
    source,
    texts: texts.map((text) => `$ORIGIN ${origin}.\n${text}`),
    questions: asked.flatMap((name) => questions(`${name}.${origin}`)),
    ttl,
  })
  const records = (data: string) => names.map((name) => `${name}.u ${ttl} IN ${data}\n`).join('')
  const deep = names.map((name) => `a.${name}.d ${ttl} IN A 10.3.0.3\n`).join('')
  return [
    one(
      'names',
      ['', records('A 10.3.0.1'), records('A 10.3.0.2') + records('AAAA fd03::2')],
      [...names.map((name) => `${name}.u`), 'u', '{}.u'],
    ),
    one(
      'names below names without data',
      ['', deep],
      names.flatMap((name) => [`${name}.d`, `a.${name}.d`]),
    ),
    one(
      'a wildcard',
      ['', `*.w ${ttl} IN A 10.3.0.4\n`, `*.w ${ttl} IN A 10.3.0.5\nn1.w ${ttl} IN AAAA fd03::5\n`],
      [...names.map((name) => `${name}.w`), '{}.w', 'x.{}.w', 'w'],
    ),
  ]
}
