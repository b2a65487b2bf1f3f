/** Whether somebody listens at an address: one TCP handshake, nothing is asked. */
import { createConnection } from 'node:net'
import type { Endpoint } from '../config/address.ts'

/** CoreDNS is at most a few hops away. Below a second, after which the kernel would send its SYN again, and rules might have come. */
const timeoutMs = 700

/** Never rejects. */
export function isListening({ address, port }: Endpoint): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const socket = createConnection({ host: address, port, timeout: timeoutMs })
    const settle = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}
