/**
 * What the DaemonSet's init container runs: `node link-address-main.js ADDRESS [LINK]`. Exists until the daemon manages
 * its link itself; kept apart from main.ts because it needs NET_ADMIN, which the daemon must not have.
 */
import { isIP } from 'node:net'
import { ensureLinkAddress, ipCommand, type LinkAddressOutcome } from './link-address.ts'

const [address = '', linkName] = process.argv.slice(2)
if (isIP(address) === 0) {
  process.stderr.write(
    `neardns: "${address}" is no IP address; usage: link-address-main ADDRESS [LINK]\n`,
  )
  process.exitCode = 2
} else {
  const outcome = await ensureLinkAddress(ipCommand, address, linkName)
  process.stdout.write(`neardns: ${sentence(address, outcome)}\n`)
  if (outcome.kind === 'failed') process.exitCode = 1
}

function sentence(ipAddress: string, outcome: LinkAddressOutcome): string {
  if (outcome.kind === 'present') return `${ipAddress} is on ${outcome.link} already`
  if (outcome.kind === 'failed') return `${ipAddress} could not be added: ${outcome.why}`
  return `${ipAddress} added to ${outcome.link}${outcome.note === '' ? '' : ` (${outcome.note})`}`
}
