/** neardns as a daemon with default settings, but for its upstreams and what a case sets. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Neardns } from '../../../support/neardns.ts'
import { endpoint, type Route, type Server, type Setup } from './server.ts'

export const neardns: Server = {
  name: 'neardns',
  about: 'default settings',
  missing: () => undefined,
  version: ownVersion,
  start: async (setup) => {
    const file = join(setup.directory, 'neardns.yaml')
    writeFileSync(file, JSON.stringify(configuration(setup)))
    return Neardns.start({ args: [`--config=${file}`] })
  },
}

function configuration({
  host,
  port,
  routes,
  resolvConf,
  settings,
}: Setup): Record<string, unknown> {
  const root = routes.filter(({ zone }) => zone === '.').flatMap(urls)
  const cluster = routes.find(({ isCluster }) => isCluster)
  const stubs = routes.filter(({ zone, isCluster }) => zone !== '.' && !isCluster)
  return {
    listen: [`${host}:${port}`],
    // Without an upstream for the root, nobody is asked: a file of this machine must not decide.
    external: resolvConf
      ? { resolvConf }
      : root.length > 0
        ? { upstreams: root }
        : { resolvConf: '/dev/null' },
    ...(cluster ? { clusterDomain: cluster.zone, cluster: { upstreams: urls(cluster) } } : {}),
    zones: stubs.map((route) => ({ name: route.zone, upstreams: urls(route) })),
    ...settings,
  }
}

function urls({ upstreams, overTcp, isCluster }: Route): string[] {
  const scheme = overTcp && !isCluster ? 'tcp://' : ''
  return upstreams.map((one) => `${scheme}${endpoint(one)}`)
}

function ownVersion(): string {
  const path = join(import.meta.dirname, '../../../../package.json')
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'))
  return version
}
