/** The servers in the order of the table. */
import { coredns } from './coredns.ts'
import { dnsmasq } from './dnsmasq.ts'
import { neardns } from './neardns.ts'
import type { Server } from './server.ts'
import { unbound } from './unbound.ts'

export const servers: readonly Server[] = [neardns, coredns, unbound, dnsmasq]
