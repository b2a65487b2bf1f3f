/** CoreDNS with the plugins of kubeadm's Corefile that matter to a forwarder; https://coredns.io/plugins/forward/ */
import { corednsPath } from '../../../support/needs.ts'
import { endpoint, program, type Route, type Setup } from './server.ts'

export const coredns = program({
  name: 'coredns',
  about:
    '`cache 30`, `loadbalance`, `forward` with `policy sequential` where there are several upstreams',
  path: () => corednsPath(),
  version: ['-version', /CoreDNS-(\S+)/],
  configuration: (setup) => setup.routes.map((route) => block(route, setup)).join(''),
  arguments: (file) => ['-conf', file],
  readyLine: 'CoreDNS-',
})

function block(
  { zone, upstreams, overTcp }: Route,
  { host, port, resolvConf, serveStale }: Setup,
): string {
  const to = resolvConf ?? upstreams.map(endpoint).join(' ')
  const options = [
    ...(upstreams.length > 1 || resolvConf ? ['policy sequential'] : []),
    ...(overTcp ? ['force_tcp'] : []),
  ]
  const cache = serveStale ? 'cache 30 {\n    serve_stale 1h verify\n  }' : 'cache 30'
  const forward =
    options.length > 0 ? `forward . ${to} {\n    ${options.join('\n    ')}\n  }` : `forward . ${to}`
  return `${zone}:${port} {
${host === '0.0.0.0' ? '' : `  bind ${host}\n`}  ${cache}
  loadbalance
  ${forward}
}
`
}
