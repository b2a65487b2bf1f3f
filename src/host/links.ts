/**
 * Adds the planned addresses to the node and removes them again. Idempotent: when everything is in place, nothing is
 * changed. Never touches firewall rules.
 */
import { createSocket } from 'node:dgram'
import type { InterceptionSettings } from '../config/schema.ts'
import type { HostFacts } from './facts.ts'
import type { LinkKind, Plan, PlannedAddress } from './plan.ts'
import type { RunProgram } from './run-program.ts'
import type { Step } from './steps.ts'
import { type Trouble, trouble, troubleOf } from './trouble.ts'

/** Tells an operator whose link it is. */
const linkAlias = 'neardns'

/** Adds what is missing. @returns what could not be done */
export async function ensureAddresses(run: RunProgram, plan: Plan): Promise<Trouble[]> {
  const wanted = plan.addresses.filter(({ foreignLink }) => foreignLink === undefined)
  if (wanted.length === 0) return []
  if (!plan.link.isOurs) return await missing(wanted)
  const made = await ensureLink(run, plan)
  if (typeof made !== 'string') return [made]
  const troubles: Trouble[] = []
  for (const one of wanted) {
    // `replace` and not `add`: two pods of a rolling update may do this at the same moment.
    const args = ['address', 'replace', prefixed(one), 'dev', made]
    const added = await run('ip', one.family === 6 ? [...args, 'nodad'] : args)
    if (!added.ok) troubles.push(troubleOf(`ip ${args.join(' ')}`, added, 'link_failed'))
  }
  return troubles
}

/** Another program puts the addresses on the node. */
async function missing(wanted: readonly PlannedAddress[]): Promise<Trouble[]> {
  const found = await Promise.all(
    wanted.map(async ({ address }) =>
      (await isLocal(address)) ? [] : [trouble('address_gone', `${address} is not on this node`)],
    ),
  )
  return found.flat()
}

/** @returns name of the link, set UP, or why there is none */
async function ensureLink(run: RunProgram, plan: Plan): Promise<string | Trouble> {
  const { name } = plan.link
  if ((await run('ip', ['link', 'set', 'dev', name, 'up'])).ok) return name
  // The plan's kinds are empty when the link existed at the start and was removed since.
  const kinds: readonly LinkKind[] =
    plan.link.kinds.length > 0 ? plan.link.kinds : ['dummy', 'bridge', 'lo']
  let last = trouble('link_failed', 'no kind of link to try')
  for (const kind of kinds) {
    if (kind === 'lo') return 'lo'
    const made = await run('ip', ['link', 'add', 'dev', name, 'type', kind])
    const isUp = (await run('ip', ['link', 'set', 'dev', name, 'up', 'alias', linkAlias])).ok
    if (isUp) return name
    last = troubleOf(`ip link add dev ${name} type ${kind}`, made, 'link_failed')
    if (last.kind === 'no_permission' || last.kind === 'program_missing') return last
  }
  return last
}

/** Steps that remove our link, and our addresses from the loopback. Other links are not ours. */
export function addressRemoval(
  { links }: Pick<HostFacts, 'links'>,
  settings: InterceptionSettings,
): Step[] {
  if (settings.link.kind === 'none') return []
  const link = links.find(({ name }) => name === settings.link.name)
  const onLoopback = links.find(({ name }) => name === 'lo')?.addresses ?? []
  const ours = [...settings.addresses, ...settings.clusterIps].filter(({ address }) =>
    onLoopback.includes(address),
  )
  return [
    ...(link === undefined || link.name === 'lo'
      ? []
      : [{ program: 'ip', args: ['link', 'delete', 'dev', link.name] }]),
    ...ours.map((one) => ({
      program: 'ip',
      args: ['address', 'delete', prefixed(one), 'dev', 'lo'],
    })),
  ]
}

function prefixed({ address, family }: Pick<PlannedAddress, 'address' | 'family'>): string {
  return `${address}/${family === 4 ? 32 : 128}`
}

/** Whether the address is on this host now: two system calls, no program. */
export async function isLocal(address: string): Promise<boolean> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  return await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind({ address, port: 0 }, () => resolve(true))
  }).finally(() => socket.close())
}
