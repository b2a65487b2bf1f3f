/**
 * Makes sure that a local address is on the node, so that the daemon can bind it and pods on the node reach it.
 * Prefers a `dummy` link of its own (removing the link removes everything), and falls back to `lo` on kernels
 * without that module. Idempotent: on a node that has the address already it changes nothing.
 * Never touches firewall rules, never removes anything, never goes through a shell.
 */
import { execFile } from 'node:child_process'

/** Runs `ip` with these arguments. `stderr` is empty when it succeeded. */
export type RunIp = (args: readonly string[]) => Promise<IpResult>

export type IpResult =
  | { readonly ok: true; readonly stdout: string }
  | { readonly ok: false; readonly stderr: string }

export type LinkAddressOutcome =
  | { readonly kind: 'present'; readonly link: string }
  | { readonly kind: 'added'; readonly link: string; readonly note: string }
  | { readonly kind: 'failed'; readonly why: string }

/** Whoever looks for the link finds it under the name that NodeLocal DNSCache gave it. */
export const defaultLinkName = 'nodelocaldns'

/**
 * @param address IPv4 or IPv6 address without a prefix length; it gets /32 or /128, because a longer
 *   subnet would claim addresses of others
 */
export async function ensureLinkAddress(
  ip: RunIp,
  address: string,
  linkName: string = defaultLinkName,
): Promise<LinkAddressOutcome> {
  const prefixed = `${address}/${address.includes(':') ? 128 : 32}`
  const holder = await linkThatHolds(ip, prefixed)
  if (holder !== undefined) return { kind: 'present', link: holder }

  const noDummy = await makeDummy(ip, linkName)
  const link = noDummy === undefined ? linkName : 'lo'
  // `replace` and not `add`: two pods of a rolling update may run this at the same moment.
  const added = await ip(['address', 'replace', prefixed, 'dev', link])
  if (!added.ok) return { kind: 'failed', why: `ip address replace on ${link}: ${added.stderr}` }
  const note = noDummy === undefined ? '' : `no dummy link (${noDummy}), used lo`
  return { kind: 'added', link, note }
}

/** @returns undefined when the link is there, else why it could not be made */
async function makeDummy(ip: RunIp, linkName: string): Promise<string | undefined> {
  const made = await ip(['link', 'add', 'dev', linkName, 'type', 'dummy'])
  if (made.ok || (await ip(['link', 'show', 'dev', linkName])).ok) return undefined
  return made.stderr
}

async function linkThatHolds(ip: RunIp, prefixed: string): Promise<string | undefined> {
  const shown = await ip(['-oneline', 'address', 'show', 'to', prefixed])
  // One line for each address: `2: nodelocaldns    inet 169.254.20.10/32 scope global ...`
  return shown.ok ? /^\d+:\s+(\S+)\s+inet6?\s/.exec(shown.stdout)?.[1] : undefined
}

/** `ip` of the machine. A hung `ip` (netlink lock) is killed after 10 s and counts as failed. */
export function ipCommand(args: readonly string[]): Promise<IpResult> {
  return new Promise((resolve) => {
    execFile('ip', [...args], { timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout })
      else resolve({ ok: false, stderr: stderr.trim() || error.message })
    })
  })
}
