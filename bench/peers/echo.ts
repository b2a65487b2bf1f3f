/** The limit: programs/echo.c knows nothing of DNS and sends back what came, with the batching that neardns uses. */
import { howToGet } from '../../test/support/needs.ts'
import { startProgram } from '../support/programs.ts'
import { onCpu } from '../support/servers.ts'
import type { Contestant } from './contestant.ts'

export const echo: Contestant = {
  name: 'echo',
  about: 'the limit: a C program that sends each packet back, recvmmsg and sendmmsg of up to 64',
  forwardsOverTcp: false,
  isEcho: true,
  missing: () => howToGet('gcc'),
  version: () => '',
  start: async ({ cpus, port }) => startProgram('echo', [String(port)], onCpu(...cpus)),
}
