/** dnsmasq, the smallest of them. It asks over UDP only. */
import { howToGet } from '../../test/support/needs.ts'
import { onCpu, startWrapped } from '../support/servers.ts'
import { versionFrom } from './common.ts'
import type { Contestant } from './contestant.ts'

export const dnsmasq: Contestant = {
  name: 'dnsmasq',
  about: 'dnsmasq, asking over UDP',
  forwardsOverTcp: false,
  missing: () => howToGet('dnsmasq'),
  version: () => versionFrom('dnsmasq', '--version', /version (\S+)/),
  start: async ({ cpu, port, upstreamPort, ttlMaxSeconds, entriesMax }) =>
    startWrapped(onCpu(cpu), 'dnsmasq', [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--pid-file='],
      ...['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`],
      ...['--no-resolv', '--no-hosts', '--no-poll', `--server=127.0.0.1#${upstreamPort}`],
      ...[
        `--cache-size=${entriesMax}`,
        `--max-cache-ttl=${ttlMaxSeconds}`,
        '--dns-forward-max=5000',
      ],
    ]),
}
