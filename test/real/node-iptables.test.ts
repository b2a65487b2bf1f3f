// Goal: `iptables` in the image is the variant whose rules the node uses. Method: the script itself in network namespaces with rules of the
// kubelet, of nobody, and of one variant.
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../support/needs.ts'
import { Netns } from '../support/world/netns.ts'

const test = needing(suite('real/node-iptables'), 'netns', 'iptables')

const script = new URL('../../scripts/node-iptables', import.meta.url).pathname

/** @returns what the script says of itself after these commands: `iptables v1.8.9 (nf_tables)` */
async function variantAfter(...commands: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-iptables-'))
  const node = await Netns.create('node')
  try {
    copyFileSync(script, join(folder, 'iptables'))
    for (const name of ['ip6tables', 'iptables-save']) symlinkSync('iptables', join(folder, name))
    for (const command of commands) await node.exec('sh', '-c', command)
    const names = ['iptables', 'ip6tables', 'iptables-save']
    const said = await Promise.all(names.map((name) => node.exec(join(folder, name), '-V')))
    return said.map((text) => /\((\w+)\)/.exec(text)?.[1] ?? text)
  } finally {
    await node.remove()
    rmSync(folder, { recursive: true })
  }
}

const all = (variant: string) => [variant, variant, variant]

test('without any rule it is nft, which needs no modules of its own', async () => {
  assert.equal(await variantAfter(), all('nf_tables'))
})

test("the kubelet's chains tell, even beside more rules of the other variant", async () => {
  const many = 'for n in 1 2 3; do iptables-nft -A INPUT -s 192.0.2.$n; done'
  const canary = 'iptables-legacy -t mangle -N KUBE-KUBELET-CANARY'
  assert.equal(await variantAfter(many, canary), all('legacy'))
  const hint = 'iptables-nft -t mangle -N KUBE-IPTABLES-HINT'
  const more = 'for n in 1 2 3; do iptables-legacy -A INPUT -s 192.0.2.$n; done'
  assert.equal(await variantAfter(more, hint), all('nf_tables'))
})

test('without a kubelet the variant with more rules is taken', async () => {
  assert.equal(await variantAfter('iptables-legacy -A INPUT -s 192.0.2.1'), all('legacy'))
})

test.run()
