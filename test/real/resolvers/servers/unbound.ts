/** unbound as a forwarder; https://nlnetlabs.nl/documentation/unbound/unbound.conf/ */
import { foreground } from '../../../support/unbound-conf.ts'
import { pathOf, program, type Route, type Setup } from './server.ts'

export const unbound = program({
  name: 'unbound',
  about: 'a `forward-zone` for each zone, no trust anchor, all else as it comes',
  path: pathOf('unbound'),
  version: ['-V', /Version (\S+)/],
  configuration,
  arguments: (file) => ['-d', '-p', '-c', file],
  readyLine: 'start of service',
})

/** Reading and writing its usual places is off; `serve-expired-client-timeout` is what RFC 8767 5 recommends. */
function configuration({ host, port, routes, serveStale }: Setup): string {
  const stale = serveStale ? '  serve-expired: yes\n  serve-expired-client-timeout: 1800\n' : ''
  return `${foreground}  port: ${port}
  interface: ${host}
${host === '0.0.0.0' ? '  interface-automatic: yes\n' : ''}  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
${stale}${routes.map(forwardZone).join('')}`
}

function forwardZone({ zone, upstreams, overTcp }: Route): string {
  const to = upstreams.map(({ host, port }) => `  forward-addr: ${host}@${port}\n`).join('')
  return `forward-zone:
  name: "${zone}"
${to}${overTcp ? '  forward-tcp-upstream: yes\n' : ''}`
}
