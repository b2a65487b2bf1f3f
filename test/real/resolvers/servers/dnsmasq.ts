/** dnsmasq; https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html */
import { pathOf, program, type Setup } from './server.ts'

export const dnsmasq = program({
  name: 'dnsmasq',
  about:
    '`server` for each zone, `strict-order` where there are several upstreams, always over UDP',
  path: pathOf('dnsmasq'),
  version: ['--version', /version (\S+)/],
  configuration,
  arguments: (file) => ['--keep-in-foreground', `--conf-file=${file}`],
  readyLine: 'started, version',
})

function configuration({ host, port, routes, resolvConf, serveStale }: Setup): string {
  const servers = resolvConf
    ? []
    : routes.flatMap(({ zone, upstreams }) =>
        upstreams.map((one) => `server=${zone === '.' ? '' : `/${zone}/`}${one.host}#${one.port}`),
      )
  const isOrdered = routes.some(({ upstreams }) => upstreams.length > 1)
  return `port=${port}
${host === '0.0.0.0' ? '' : `listen-address=${host}\nbind-interfaces\n`}user=root
pid-file=
log-facility=-
${resolvConf ? `resolv-file=${resolvConf}` : 'no-resolv\nno-poll'}
${isOrdered ? 'strict-order\n' : ''}${serveStale ? 'use-stale-cache\n' : ''}${servers.join('\n')}
`
}
