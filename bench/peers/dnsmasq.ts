/** dnsmasq, the smallest of them. It asks over UDP only. */
import { peer } from './common.ts'

export const dnsmasq = peer({
  name: 'dnsmasq',
  about: 'dnsmasq, asking over UDP',
  forwardsOverTcp: false,
  version: ['dnsmasq', '--version', /version (\S+)/],
  arguments: ({ port, upstreamPort, ttlMaxSeconds, entriesMax }) => [
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--pid-file='],
    ...['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${port}`],
    ...['--no-resolv', '--no-hosts', '--no-poll', `--server=127.0.0.1#${upstreamPort}`],
    ...[`--cache-size=${entriesMax}`, `--max-cache-ttl=${ttlMaxSeconds}`, '--dns-forward-max=5000'],
  ],
})
