/**
 * Makes the kernel forget UDP flows to an address. A flow is translated as its first packet was: one that began while nobody stood in for
 * the address would be lost until a client takes another port. One message of ctnetlink, with the kernel's own filter (Linux 5.8).
 * IPv4 alone: for IPv6 that filter spares the address that is named and takes all others (seen with Linux 6.18).
 * Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h, net/netfilter/nf_conntrack_netlink.c.
 */
import { addressBytes, type IpAddress } from '../../address/ip-address.ts'
import { MessageFlag, messageHeaderBytes, NetlinkSocket } from '../../system/netlink.ts'
import { attribute, nested } from '../nft/attributes.ts'
import { Family, protocolNumber } from '../nft/constants.ts'

/** NFNL_SUBSYS_CTNETLINK, and IPCTNL_MSG_CT_DELETE in it. */
const deleteFlows = (1 << 8) | 2

/** CTA_*, CTA_TUPLE_*, CTA_IP_*, CTA_PROTO_*, CTA_FILTER_*. */
const Attribute = {
  original: 1,
  filter: 25,
  tupleAddresses: 1,
  tupleProtocol: 2,
  destination4: 2,
  protocolNumber: 1,
  destinationPort: 3,
  originalFlags: 1,
  replyFlags: 2,
} as const

/** CTA_FILTER_F_*: the destination's address, the protocol's number, the destination's port. */
const filterFlags = (1 << 1) | (1 << 3) | (1 << 5)

/** @returns why some could not be forgotten */
export async function forgetFlows(
  addresses: readonly IpAddress[],
  port: number,
): Promise<string | undefined> {
  try {
    const socket = new NetlinkSocket()
    const results = await Promise.all(
      addresses
        .filter(({ family }) => family === 4)
        .map(({ address }) => socket.request([flowsTo(address, port)])),
    )
    await socket.close()
    // ENOENT: there is none.
    return results.flatMap((one) => (one.ok || one.code === 'ENOENT' ? [] : [one.why]))[0]
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function flowsTo(address: string, port: number): Buffer {
  const addresses = attribute(Attribute.destination4, addressBytes(address))
  const protocol = attribute(Attribute.protocolNumber, Uint8Array.of(protocolNumber.udp))
  const ports = attribute(Attribute.destinationPort, Uint8Array.of(port >> 8, port & 255))
  const body = Buffer.concat([
    // nfgenmsg. A version of 0 would make the kernel ignore the family.
    Buffer.of(Family.ip, 1, 0, 0),
    nested(
      Attribute.original,
      nested(Attribute.tupleAddresses, addresses),
      nested(Attribute.tupleProtocol, protocol, ports),
    ),
    nested(
      Attribute.filter,
      flags(Attribute.originalFlags, filterFlags),
      flags(Attribute.replyFlags, 0),
    ),
  ])
  const head = Buffer.alloc(messageHeaderBytes)
  head.writeUInt32LE(messageHeaderBytes + body.length)
  head.writeUInt16LE(deleteFlows, 4)
  head.writeUInt16LE(MessageFlag.request | MessageFlag.ack, 6)
  return Buffer.concat([head, body])
}

/** In the machine's byte order, unlike other numbers of netfilter. */
function flags(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return attribute(type, bytes)
}
