/** neardns with one of its UDP endpoints. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import type { OlderTree } from '../support/older-tree.ts'
import { buildMain, builtMain, onCpu, startWrapped } from '../support/servers.ts'
import { type Contestant, type Setup, upstreamPorts } from './contestant.ts'

/** What an entry of this bench takes (docs/decisions/0011). */
const bytesPerEntry = 700

export const neardns = neardnsWith('neardns', 'batched')
export const neardnsPortable = neardnsWith('neardns-portable', 'portable')

/** The same daemon as it was, so that a change is seen in one run. Is built at once. */
export async function olderNeardns({ commit, path }: OlderTree): Promise<Contestant> {
  const main = await buildMain(path)
  return neardnsWith('neardns-before', 'batched', `of commit ${commit}, `, async () => main)
}

function neardnsWith(
  name: string,
  io: 'batched' | 'portable',
  which = '',
  main = builtMain,
): Contestant {
  return {
    name,
    about: `neardns ${which}with --io ${io}, compiled as in the image, all else as it comes`,
    forwardsOverTcp: true,
    missing: () => undefined,
    version: () => process.version,
    start: async (setup) => {
      const config = join(setup.directory, `neardns-${setup.port}.yaml`)
      writeFileSync(config, await configuration(setup))
      const args = [await main(), 'run', '--config', config, '--io', io, '--log-level', 'warn']
      return startWrapped(onCpu(...setup.cpus), process.execPath, args)
    },
  }
}

async function configuration(setup: Setup): Promise<string> {
  const { port, ttlMaxSeconds, entriesMax } = setup
  const upstreams = JSON.stringify(upstreamPorts(setup).map((each) => `127.0.0.1:${each}`))
  return `listen: ["127.0.0.1:${port}"]
cluster:
  upstreams: ${upstreams}
  ttl: { positiveMaxSeconds: ${ttlMaxSeconds} }
external:
  upstreams: ${upstreams}
cache:
  entriesMax: ${entriesMax}
  bytesMax: ${Math.max(33_554_432, entriesMax * bytesPerEntry)}
admin: { listen: "127.0.0.1:${await freePort()}" }
`
}
