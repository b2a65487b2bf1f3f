/**
 * Draws docs/dashboard.png: runs three nodes for some minutes under a real Prometheus (story.ts), asks it every query of the dashboard,
 * and has headless Chromium draw the answers. `node docs/dashboard/draw.ts [SECONDS]`, as root, with prometheus, chromium, CoreDNS, nft.
 */
import { join } from 'node:path'
import { howToGet, type Need } from '../../test/support/needs.ts'
import { Prometheus, type Range } from '../../test/watch/prometheus.ts'
import { pageOf } from './picture.ts'
import { answersOf, screenshot } from './render.ts'
import { StoryNode, untilScraped } from './story.ts'

const defaultSeconds = 480
/** Scraped every second: so a rate over few of them is as good as one over minutes elsewhere. */
const rateInterval = '15s'
const target = join(import.meta.dirname, '..', 'dashboard.png')

async function main(seconds: number): Promise<void> {
  const needed: readonly Need[] = ['prometheus', 'chromium', 'coredns', 'netns', 'nft']
  const missing = needed.flatMap((need) => howToGet(need) ?? [])
  if (missing.length > 0) throw new Error(`missing; these bring it:\n${missing.join('\n')}`)
  const nodes: StoryNode[] = []
  let prometheus: Prometheus | undefined
  try {
    for (const [n, name] of ['node-a', 'node-b', 'node-c'].entries()) {
      nodes.push(await StoryNode.start(name, n + 1))
    }
    prometheus = await Prometheus.start({ targets: nodes.map(({ target: one }) => one) })
    const range = await play(prometheus, nodes, seconds)
    await screenshot(pageOf(await answersOf(prometheus, range, rateInterval), range), target)
    process.stdout.write(`${target}\n`)
  } finally {
    await prometheus?.stop()
    for (const node of nodes) await node.stop()
  }
}

/** @returns the time that is to be seen */
async function play(
  prometheus: Prometheus,
  nodes: readonly StoryNode[],
  seconds: number,
): Promise<Range> {
  await untilScraped(async () => (await prometheus.query('up == 1')).length, nodes.length)
  const startSeconds = Math.ceil(Date.now() / 1000)
  const [, second, third] = nodes
  const story = nodes.map((node) => node.serve(seconds))
  const faults = [
    after(seconds * 0.4, async () => await second?.hangCoredns(seconds * 0.13)),
    after(seconds * 0.7, async () => await third?.cutOff(seconds * 0.1)),
  ]
  await Promise.all([...story, ...faults])
  return { startSeconds: startSeconds + 20, endSeconds: startSeconds + seconds, stepSeconds: 2 }
}

async function after(seconds: number, what: () => Promise<void>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  await what()
}

await main(Number(process.argv[2] ?? defaultSeconds))
