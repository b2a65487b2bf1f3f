/**
 * Sends a query to the daemon's own UDP socket, as a client would, and reports whether the reply came, which only neardns can
 * write (core/question/self-check.ts): it shows that the socket is bound, that the event loop turns and that the pipeline answers, and
 * depends on no upstream. The daemon answers it beside its clients: no metric or log line of theirs has it.
 *
 * Source and destination are the same address. The loopback address would not do as a source: kubelet and kube-proxy drop packets to
 * 127.0.0.0/8 from other addresses without a tracked connection (chain KUBE-FIREWALL), and replies of an intercepted address are not
 * tracked. A source port below 1024 distinguishes it from the node's other queries, which CoreDNS may answer.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import {
  identityBytes,
  judgeSelfAnswer,
  nonceBytes,
  selfCheck,
} from '../core/question/self-check.ts'
import { probePorts } from '../host/backends/nft-rules.ts'
import type { ListenAddress } from '../system/bind.ts'

/** The reply takes microseconds; this is for an overloaded machine. */
const timeoutMs = 1000
const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
/** Another program may have one of these ports; hundreds taken would be a defect. */
const portAttemptsMax = 8

/**
 * @param whose `any`: another neardns may answer as well, because it reads the same socket while the two hand over
 * @returns undefined when the reply came, else why not. Never rejects.
 */
export async function selfQuery(
  at: ListenAddress,
  whose: 'ours' | 'any' = 'ours',
): Promise<string | undefined> {
  const address = wildcards[at.address] ?? at.address
  try {
    const socket = await boundSocket(address, at.family)
    return await ask(socket, { ...at, address }, whose).finally(() => socket.close())
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A process that may not bind below 1024 intercepts nothing, so any port will do. */
async function boundSocket(address: string, family: 4 | 6): Promise<Socket> {
  const [first, last] = probePorts
  for (let attempt = 1; ; attempt++) {
    try {
      return await bind(address, family, randomInt(first, last + 1))
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'EACCES') return await bind(address, family, 0)
      if (code !== 'EADDRINUSE' || attempt === portAttemptsMax) throw error
    }
  }
}

async function bind(address: string, family: 4 | 6, port: number): Promise<Socket> {
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    socket.bind({ port, address })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw error
  }
}

function ask(
  socket: Socket,
  at: ListenAddress,
  whose: 'ours' | 'any',
): Promise<string | undefined> {
  const identity = selfIdentity()
  const query = selfCheck(randomInt(0x1_0000), identity, hexBytes(nonceBytes))
  return new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs)
    const settle = (why: string | undefined) => {
      clearTimeout(timer)
      resolve(why)
    }
    socket.on('error', (error) => settle(error.message))
    socket.on('message', (reply) => {
      const answer = judgeSelfAnswer(reply, query, identity)
      if (answer === 'ours' || (answer === 'another' && whose === 'any')) settle(undefined)
      else if (answer === 'another') settle('another neardns answers at this address')
    })
    socket.send(query, at.port, at.address)
  })
}

/** Where workers find the identity of their daemon: each may read what another asks. */
const identityVariable = 'NEARDNS_SELF_CHECK'

/** @returns the identity of this daemon. The first call chooses it, and leaves it in the environment for the workers */
export function selfIdentity(): Uint8Array {
  const text = process.env[identityVariable]
  if (text?.length === identityBytes) return Buffer.from(text, 'latin1')
  const identity = hexBytes(identityBytes)
  process.env[identityVariable] = identity.toString('latin1')
  return identity
}

function hexBytes(length: number): Buffer {
  return Buffer.from(randomBytes(length / 2).toString('hex'), 'latin1')
}
