/**
 * The zone of a link-local address, in the form that Node's sockets take. libuv looks zones up by name only (`if_nametoindex`) and
 * takes a number for no zone at all, which `connect` refuses with EINVAL; systemd-resolved writes numbers into resolv.conf.
 */
import { networkInterfaces } from 'node:os'

type Interfaces = () => ReturnType<typeof networkInterfaces>

/**
 * Costs nothing without a zone, and a few system calls with a numbered one, which is looked up each time: the interface may come
 * later, or come back with another number.
 * @param address `fe80::1%2`, or any other, which comes back as it is
 * @returns `fe80::1%eth0`; the address as it is when no interface with an IPv6 address has that number now
 */
export function withZoneName(address: string, interfaces: Interfaces = networkInterfaces): string {
  if (!address.includes('%')) return address
  const [, bare = '', zone = ''] = /^([^%]+)%(\d+)$/.exec(address) ?? []
  if (zone === '') return address
  for (const [name, addresses] of Object.entries(interfaces())) {
    const isIt = addresses?.some((one) => one.family === 'IPv6' && one.scopeid === Number(zone))
    if (isIt === true) return `${bare}%${name}`
  }
  return address
}
