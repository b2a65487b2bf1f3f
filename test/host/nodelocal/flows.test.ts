/** Goal: flows to one address and port are forgotten, no others. Method: real flows in a network namespace, seen by `conntrack`. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { mustRun } from '../../support/process.ts'
import { Netns } from '../../support/world/netns.ts'

const test = needing(suite('host/nodelocal/flows'), 'netns', 'iptables', 'conntrack')

const addresses = ['169.254.20.10', '10.96.0.10', 'fd00::1', 'fd00::2']
const module = new URL('../../../src/host/nodelocal/flows.ts', import.meta.url).pathname
const sending = `
  const { createSocket } = require('node:dgram')
  for (const address of ${JSON.stringify(addresses)}) for (const port of [53, 54]) {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.send('x', port, address, () => socket.close())
  }`
const forgetting = `
  import { forgetFlows } from ${JSON.stringify(module)}
  const [ours, theirs] = [{ address: '169.254.20.10', family: 4 }, { address: 'fd00::1', family: 6 }]
  const why = [await forgetFlows([ours, theirs], 53), await forgetFlows([ours], 53)]
  if (why.join('') !== '') throw new Error(why.join())`

test('UDP flows to an IPv4 address and port go; other ports, other addresses and IPv6 stay; none is as good as one', async () => {
  const node = await Netns.create('flows')
  const run = (program: string, ...args: string[]) => mustRun(program, args, { netns: node.name })
  try {
    for (const address of addresses) {
      const length = address.includes(':') ? 128 : 32
      await node.ip('address', 'add', `${address}/${length}`, 'dev', 'lo', 'nodad')
    }
    for (const program of ['iptables-nft', 'ip6tables-nft']) {
      await run(program, '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'NEW', '-j', 'ACCEPT')
    }
    await run(process.execPath, '-e', sending)
    const flows = async () => {
      const lists = [
        await run('conntrack', '-L', '-f', 'ipv4'),
        await run('conntrack', '-L', '-f', 'ipv6'),
      ]
      const found = [...lists.join('\n').matchAll(/dst=(\S+) sport=\d+ dport=(5[34]) \[/g)]
      return new Set(found.map(([, address, port]) => `${address} ${port}`))
    }
    const all = addresses.flatMap((address) => [`${address} 53`, `${address} 54`])
    assert.equal([...(await flows())].toSorted(), all.toSorted())
    await run(process.execPath, '--input-type=module', '-e', forgetting)
    const left = all.filter((one) => one !== '169.254.20.10 53')
    assert.equal([...(await flows())].toSorted(), left.toSorted())
  } finally {
    await node.remove()
  }
})

test.run()
