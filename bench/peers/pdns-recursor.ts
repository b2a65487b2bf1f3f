/** PowerDNS Recursor as a forwarder. It asks over UDP; there is no setting for TCP alone. */
import { peer } from './common.ts'

export const pdnsRecursor = peer({
  name: 'pdns-recursor',
  about: 'PowerDNS Recursor, one thread, packet cache, no DNSSEC, asking over UDP',
  forwardsOverTcp: false,
  version: ['pdns_recursor', '--version', /Recursor (\d\S*)/],
  arguments: ({ port, upstreamPort, ttlMaxSeconds, entriesMax, directory }) => [
    ...['--daemon=no', '--write-pid=no', '--setuid=', '--setgid=', '--chroot='],
    ...[`--config-dir=${directory}`, `--socket-dir=${directory}`, '--quiet=yes', '--loglevel=3'],
    ...['--local-address=127.0.0.1', `--local-port=${port}`, '--allow-from=127.0.0.0/8'],
    ...['--threads=1', '--pdns-distributes-queries=no', '--dont-query='],
    ...[`--forward-zones-recurse=.=127.0.0.1:${upstreamPort}`, '--dnssec=off', '--hint-file=no'],
    ...[`--max-cache-entries=${entriesMax}`, `--max-packetcache-entries=${entriesMax}`],
    ...[`--max-cache-ttl=${ttlMaxSeconds}`, `--packetcache-ttl=${ttlMaxSeconds}`],
    ...['--max-negative-ttl=5', '--security-poll-suffix=', '--export-etc-hosts=off'],
  ],
})
