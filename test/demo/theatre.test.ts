/*
 * Goal: the demo finds a free port, shows the daemon with its defaults between two stand-ins, and leaves nothing open, however it ends.
 * Method: the real theatre around a daemon that the test plays.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Config } from '../../src/config/schema.ts'
import { openTheatre, type StartDaemon } from '../../src/demo/theatre.ts'
import { BindError } from '../../src/system/bind.ts'
import { configOf } from '../daemon/support.ts'
import { askUdp, lookup } from '../support/client/dns-client.ts'
import { writeQuery } from '../support/client/dns-message.ts'

const test = suite('demo/theatre')

interface Played {
  readonly start: StartDaemon
  /** Configurations that it was started with. */
  readonly configs: Config[]
  stopped: number
}

/** A daemon that cannot have the first `taken` ports. */
function daemonWith(taken = 0, code = 'EADDRINUSE'): Played {
  const configs: Config[] = []
  const played: Played = {
    configs,
    stopped: 0,
    start: async (config) => {
      configs.push(config)
      const address = { address: '127.0.0.1', port: portOf(config), family: 4 } as const
      if (configs.length <= taken) throw new BindError('udp', address, { code })
      return {
        stop: async () => {
          played.stopped += 1
        },
      }
    },
  }
  return played
}

function portOf({ listen }: Config): number {
  return listen[0]?.port ?? 0
}

test('the daemon has its defaults, the stand-ins for upstreams, and a silent log', async () => {
  const played = daemonWith()
  const { stage, close } = await openTheatre(played.start, 5300)
  const [config] = played.configs
  assert.is(stage.port, 5300)
  const upstream = (port: number, transport: string) => ({
    address: '127.0.0.1',
    port,
    family: 4,
    transport,
  })
  assert.equal(config?.cluster.upstreams, [upstream(stage.coredns.port, 'tcp')])
  assert.equal(config?.external.upstreams, [upstream(stage.outside.port, 'udp')])
  const defaults = configOf()
  assert.equal(config && { ...config, cluster: 0, external: 0, listen: 0, log: 0 }, {
    ...defaults,
    ...{ cluster: 0, external: 0, listen: 0, log: 0 },
  })
  assert.equal(config?.log, { ...defaults.log, level: 'silent' })
  await close()
  assert.is(played.stopped, 1)
})

test('the stand-ins answer, and the TTL of the cluster can be changed under way', async () => {
  const { stage, close } = await openTheatre(daemonWith().start, 5300)
  const coredns = { host: '127.0.0.1', port: stage.coredns.port }
  const outside = { host: '127.0.0.1', port: stage.outside.port }
  const name = 'payments.shop.svc.cluster.local'
  assert.is((await lookup(outside, 'example.com', 'A')).answers[0]?.data, '192.0.2.10')
  const before = (await lookup(coredns, name, 'A')).answers[0]?.ttl
  stage.setClusterTtl(2)
  assert.equal([before !== 2, (await lookup(coredns, name, 'A')).answers[0]?.ttl], [true, 2])
  await close()
  assert.is(await askUdp(coredns, writeQuery(name, 'A'), 100), undefined)
  assert.is(await askUdp(outside, writeQuery('example.com', 'A'), 100), undefined)
})

test('a port that somebody has is passed over', async () => {
  const played = daemonWith(3)
  const { stage, close } = await openTheatre(played.start, 5300)
  assert.equal(played.configs.map(portOf), [5300, 5301, 5302, 5303])
  assert.is(stage.port, 5303)
  await close()
})

/** What the theatre is refused with, and the ports that were tried. */
async function refusal(played: Played, port: number): Promise<[code: unknown, ports: number[]]> {
  const error = await openTheatre(played.start, port).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const code = error instanceof Error && 'code' in error ? error.code : error
  return [code, played.configs.map(portOf)]
}

test('twenty ports are tried, and no port beyond the last there is', async () => {
  const [code, ports] = await refusal(daemonWith(99), 5300)
  assert.equal([code, ports.length, ports.at(-1)], ['EADDRINUSE', 20, 5319])
  assert.equal(await refusal(daemonWith(99), 65_534), ['EADDRINUSE', [65_534, 65_535]])
})

test('what another port would not mend is told at once', async () => {
  assert.equal(await refusal(daemonWith(99, 'EACCES'), 53), ['EACCES', [53]])
})

test('a defect while it starts leaves no stand-in behind', async () => {
  let port = 0
  const start: StartDaemon = (config) => {
    port = config.cluster.upstreams[0]?.port ?? 0
    return Promise.reject(new Error('defect'))
  }
  const isOpen = await openTheatre(start, 5300).then(
    () => true,
    () => false,
  )
  assert.is(isOpen, false)
  const name = 'payments.shop.svc.cluster.local'
  assert.is(await askUdp({ host: '127.0.0.1', port }, writeQuery(name, 'A'), 100), undefined)
})

test.run()
