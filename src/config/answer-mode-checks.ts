/** Checks whether answer mode can work with the other settings: it must not be switched on where it could never be right. */
import { at, type Found, items } from './partial.ts'
import { type Path, pathText } from './problem.ts'
import type { Issue } from './setting.ts'

export function answerModeChecks(config: unknown): Issue[] {
  const entries = items(config, ['searchPath', 'answerMode', 'namespaces'])
  const [first] = entries
  if (first === undefined) return []
  return [
    ...missingConditions(config).map((condition) => ({ path: first.path, ...condition })),
    ...entries.flatMap((entry, index) => [
      ...repeated(config, entry, entries.slice(0, index)),
      ...carvedOut(config, entry),
      ...impliedDomains(config, entry),
    ]),
  ]
}

type Condition = Omit<Issue, 'path'>

function missingConditions(config: unknown): Condition[] {
  const upstreams: Path = ['cluster', 'upstreams']
  const hasUpstreams = items(config, upstreams).length > 0
  return [
    ...missingSearchPath(config),
    ...missingTrust(config),
    ...(hasUpstreams
      ? []
      : [
          {
            message: 'answer mode has to ask CoreDNS; name it in cluster.upstreams',
            because: [upstreams],
          },
        ]),
  ]
}

function missingSearchPath(config: unknown): Condition[] {
  const enabled: Path = ['searchPath', 'enabled']
  if (at(config, enabled) !== false) return []
  const message =
    'answer mode is a part of the search path, which is off; set searchPath.enabled to true'
  return [{ message, because: [enabled] }]
}

function missingTrust(config: unknown): Condition[] {
  const trust: Path = ['searchPath', 'trust']
  const corefile: Path = ['searchPath', 'corefile']
  const level = at(config, trust)
  if (level === 'cautious') {
    const message =
      'answer mode is not possible with trust cautious; set searchPath.trust to auto (with searchPath.corefile) or declared'
    return [{ message, because: [trust] }]
  }
  if (level !== 'auto' || typeof at(config, corefile) === 'string') return []
  const message =
    'answer mode needs trust verified, which auto cannot reach without a Corefile; name it in searchPath.corefile, or set searchPath.trust to declared'
  return [{ message, because: [trust, corefile] }]
}

/** Two descriptions of one namespace would make the list that its pods get ambiguous. */
function repeated(
  config: unknown,
  { path }: Found<unknown>,
  before: readonly Found<unknown>[],
): Issue[] {
  const name = at(config, [...path, 'name'])
  const earlier = before.find((other) => at(config, [...other.path, 'name']) === name)
  if (earlier === undefined || name === undefined) return []
  const message = `namespace ${String(name)} is already described at ${pathText(earlier.path)}; describe each once`
  return [{ path: [...path, 'name'], message, because: [earlier.path] }]
}

/** Below a carve-out nothing is ever denied without asking. */
function carvedOut(config: unknown, { path }: Found<unknown>): Issue[] {
  const suffix = `.${String(at(config, [...path, 'name']))}.svc.${String(at(config, ['clusterDomain']))}`
  const carveOut = items(config, ['searchPath', 'carveOuts']).find(
    ({ value }) => typeof value === 'string' && suffix.endsWith(`.${value}`),
  )
  if (carveOut === undefined) return []
  const message = `names of this namespace are carved out (${String(carveOut.value)}), so none of them can be answered; remove one of the two`
  return [{ path: [...path, 'name'], message, because: [carveOut.path] }]
}

function impliedDomains(config: unknown, { path }: Found<unknown>): Issue[] {
  const domain = String(at(config, ['clusterDomain']))
  const implied = [
    `${String(at(config, [...path, 'name']))}.svc.${domain}`,
    `svc.${domain}`,
    domain,
  ]
  return items(config, [...path, 'searchDomains']).flatMap((found) => {
    if (!implied.includes(String(found.value))) return []
    const message = `${String(found.value)} is one of the three domains that every list begins with; name only the domains after them`
    return [{ path: found.path, message, because: [] }]
  })
}
