/** Directives as they may stand in a server block, with the place of what is wrong with them. */

export interface DirectiveCase {
  readonly name: string
  readonly text: string
  /** Line and column of the mistake, counted from the first line of the text; absent: valid. */
  readonly wrong?: string
  /** CoreDNS says otherwise, for this reason. */
  readonly ours?: string
}

/** Line 1 opens the block; the text begins in line 2. */
export function inBlock(text: string): string {
  const forward = /^(?:\S+\n)*forward /m.test(text) ? '' : '\nforward . 192.0.2.1'
  return `.:53 {\n${text}${forward}\n}\n`
}

function cases(name: string, valid: readonly string[], wrong: readonly [string, string][]) {
  return [
    ...valid.map((text): DirectiveCase => ({ name, text })),
    ...wrong.map(([text, place]): DirectiveCase => ({ name, text, wrong: place })),
  ]
}

export const directiveCases: readonly DirectiveCase[] = [
  ...cases(
    'errors',
    [
      'errors',
      'errors stdout',
      'errors { stacktrace }',
      'errors {\nconsolidate 5m ".* i/o timeout$" warning\nconsolidate 30s "^Failed" error show_first\n}',
      'errors {\nconsolidate 5m x show_first\nstacktrace\n}',
    ],
    [
      ['errors stderr', '1:8'],
      ['errors\nerrors', '2:1'],
      ['errors {\nconsolidate 5m\n}', '2:13'],
      ['errors {\nconsolidate 5 x\n}', '2:13'],
      ['errors {\nconsolidate 5m x loud\n}', '2:18'],
      ['errors {\nconsolidate 5m x show_first error\n}', '2:29'],
      ['errors {\nconsolidate 5m (\n}', '2:16'],
      ['errors {\nsilent\n}', '2:1'],
    ],
  ),
  ...cases(
    'reload',
    ['reload', 'reload 10s', 'reload 10s 5s', 'reload 2s 0s', 'reload 1m 40s', 'reload {\nx\n}'],
    [
      ['reload 1s', '1:8'],
      ['reload 30', '1:8'],
      ['reload 10s 500ms', '1:12'],
      ['reload 10s 5s 1s', '1:15'],
    ],
  ),
  ...cases(
    'loop',
    ['loop'],
    [
      ['loop .', '1:6'],
      ['loop\nloop', '2:1'],
    ],
  ),
  ...cases(
    'bind',
    ['bind 127.0.0.1', 'bind 127.0.0.1\nbind ::1', 'bind 127.0.0.1 ::1 {\nexcept ::1\n}'],
    [
      ['bind', '1:1'],
      ['bind 127.0.0.1 {\nexcept\n}', '2:1'],
      ['bind 127.0.0.1 {\nonly ::1\n}', '2:1'],
      ['bind 127.0.0.1:53', '1:6'],
      ['bind no-such-link', '1:6'],
    ],
  ),
  ...cases(
    'cache',
    [
      'cache',
      'cache 30',
      'cache 30 a.example b.example',
      'cache a.example',
      'cache 30 { }',
      'cache {\nsuccess 9984 30\ndenial 9984 5\n}',
      'cache {\nsuccess 9984 30 0\ndenial 0 1\n}',
      'cache {\nsuccess 9984 30 5 more\n}',
      'cache {\nprefetch 20\n}',
      'cache {\nprefetch 0 1m 90%\n}',
      'cache {\nserve_stale\n}',
      'cache {\nserve_stale 0s\nserve_stale_policy prefer_positive\n}',
      'cache {\nserve_stale 1h IMMEDIATE 30s 5s\n}',
      'cache {\nserve_stale 1h verify 500ms 0s 5m\n}',
      'cache {\nservfail 0\n}',
      'cache {\nservfail 5m\nkeepttl\n}',
      'cache {\ndisable success\ndisable denial a.example\n}',
    ],
    [
      ['cache 0', '1:7'],
      ['cache -5', '1:7'],
      ['cache\ncache', '2:1'],
      ['cache { success 9984 30 }', '1:25'],
      ['cache {\nsuccess\n}', '2:1'],
      ['cache {\nsuccess many\n}', '2:9'],
      ['cache {\ndenial 9984 0\n}', '2:13'],
      ['cache {\ndenial 9984 5 -1\n}', '2:15'],
      ['cache {\nprefetch\n}', '2:1'],
      ['cache {\nprefetch -1\n}', '2:10'],
      ['cache {\nprefetch 2 1m 5%\n}', '2:15'],
      ['cache {\nprefetch 2 1m 20\n}', '2:15'],
      ['cache {\nprefetch 2 60\n}', '2:12'],
      ['cache {\nserve_stale 1h sometimes\n}', '2:16'],
      ['cache {\nserve_stale -1h\n}', '2:13'],
      ['cache {\nserve_stale_policy prefer_positive\n}', '2:1'],
      ['cache {\nservfail 6m\n}', '2:10'],
      ['cache {\nservfail\n}', '2:1'],
      ['cache {\ndisable all\n}', '2:9'],
      ['cache {\nkeepttl yes\n}', '2:9'],
      ['cache {\nsucces 1\n}', '2:1'],
    ],
  ),
  ...cases(
    'forward',
    [
      'forward . 192.0.2.1',
      'forward . 192.0.2.1 192.0.2.1:5353 [2001:db8::1]:53 2001:db8::2',
      'forward a.example 192.0.2.1\nforward . 192.0.2.2',
      'forward . 192.0.2.1 {\n}',
      'forward . 192.0.2.1 { policy random }',
      'forward . dns://192.0.2.1 tls://192.0.2.2 {\ntls\ntls_servername dns.example\n}',
      'forward . tls://192.0.2.2%dns.example',
      'forward . 192.0.2.1 192.0.2.2 {\nexcept a.example 10.0.0.0/8\nforce_tcp\nprefer_udp\nexpire 10s\nmax_fails 0\nhealth_check 5s no_rec domain a.example\npolicy round_robin\nmax_concurrent 1000\n}',
      'forward . 192.0.2.1 {\nmax_idle_conns 4\nmax_age 60s\nmax_connect_attempts 2\nread_timeout 1s\nfailover servfail REFUSED\nfailfast_all_unhealthy_upstreams\n}',
    ],
    [
      ['forward', '1:1'],
      ['forward .', '1:9'],
      ['forward . 192.0.2.1 { force_tcp }', '1:33'],
      ['forward . 192.0.2.1 {\nforce_tcp now\n}', '2:11'],
      ['forward . 192.0.2.1 {\npolicy best\n}', '2:8'],
      ['forward . 192.0.2.1 {\npolicy\n}', '2:1'],
      ['forward . 192.0.2.1 {\nexpire 10\n}', '2:8'],
      ['forward . 192.0.2.1 {\nexpire -1s\n}', '2:8'],
      ['forward . 192.0.2.1 {\nmax_age 5s\n}', '1:1'],
      ['forward . 192.0.2.1 {\nmax_fails -1\n}', '2:11'],
      ['forward . 192.0.2.1 {\nmax_concurrent -1\n}', '2:16'],
      ['forward . 192.0.2.1 {\nhealth_check 5s often\n}', '2:17'],
      ['forward . 192.0.2.1 {\nread_timeout 0s\n}', '2:14'],
      ['forward . 192.0.2.1 {\nfailover NOERROR\n}', '2:1'],
      ['forward . 192.0.2.1 {\nfailover BROKEN\n}', '2:10'],
      ['forward . 192.0.2.1 {\nupstream\n}', '2:1'],
      ['forward . {}', '1:11'],
      ['forward . 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16', '1:47'],
      ['forward . quic://192.0.2.1', '1:11'],
      ['forward .. 192.0.2.1', '1:9'],
      ['forward . 192.0.2.256', '1:11'],
    ],
  ),
  ...cases(
    'template',
    [
      'template IN A',
      'template ANY AAAA { rcode NXDOMAIN }',
      'template IN AAAA . {\nrcode NOERROR\n}\ntemplate ANY ANY a.example b.example {\nrcode NXDOMAIN\nfallthrough\n}',
      'template IN A a.example {\nmatch "^web-(?P<n>[0-9]+)[.]" "^x"\nanswer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"\nadditional "ns.a.example. 60 IN A 192.0.2.53"\nauthority "a.example. 60 IN NS ns.a.example."\nederror 15 "made up"\nfallthrough a.example\nupstream\n}',
    ],
    [
      ['template', '1:1'],
      ['template IN', '1:10'],
      ['template in A', '1:10'],
      ['template IN address', '1:13'],
      ['template IN A {\nmatch\n}', '2:1'],
      ['template IN A {\nmatch (\n}', '2:7'],
      ['template IN A {\nanswer\n}', '2:1'],
      ['template IN A {\nanswer "{{ .Name"\n}', '2:8'],
      ['template IN A {\nrcode NONE\n}', '2:7'],
      ['template IN A {\nederror 70000\n}', '2:9'],
      ['template IN A {\nederror\n}', '2:1'],
      ['template IN A {\ncname a\n}', '2:1'],
    ],
  ),
  ...cases(
    'hosts',
    [
      'hosts',
      'hosts /dev/null a.example',
      'hosts {\n192.0.2.1 a.example b.example\n2001:db8::1 a.example\nttl 60\nno_reverse\nreload 0s\nfallthrough\n}',
      'hosts /dev/null {\nfallthrough a.example\nfallthrough_unsupported\n}',
      'hosts {\nnot-an-address a.example\n}',
      'hosts { no_reverse }',
      'hosts {\nttl 60 61\n}',
    ],
    [
      ['hosts\nhosts', '2:1'],
      ['hosts {\nttl\n}', '2:1'],
      ['hosts {\nttl 0\n}', '2:5'],
      ['hosts {\nttl long\n}', '2:5'],
      ['hosts {\nreload 5\n}', '2:8'],
      ['hosts {\nreload -5s\n}', '2:8'],
      ['hosts {\nfallthrough\n192.0.2.1 a.example\n}', '3:1'],
      ['hosts {\nfallthrough_unsupported\n}', '1:1'],
    ],
  ),
  ...cases(
    'prometheus',
    ['prometheus', 'prometheus :9253', 'prometheus 127.0.0.1:9153 {\nruntime_metrics\n}'],
    [
      ['prometheus 9253', '1:12'],
      ['prometheus ::1:9253', '1:12'],
      ['prometheus :9253 :9254', '1:18'],
      ['prometheus\nprometheus', '2:1'],
      ['prometheus {\nverbose\n}', '2:1'],
    ],
  ),
  ...cases(
    'health',
    [
      'health',
      'health :8080',
      'health [::1]:8080\nhealth 127.0.0.1:8081',
      'health {\nlameduck 5s\n}',
    ],
    [
      ['health 8080', '1:8'],
      ['health :8080 :8081', '1:14'],
      ['health {\nlameduck 5\n}', '2:10'],
      ['health { lameduck 5s }', '1:22'],
      ['health {\nlameduck\n}', '2:1'],
      ['health {\nduck 5s\n}', '2:1'],
    ],
  ),
  ...cases(
    'ready',
    ['ready', 'ready :8181', 'ready {\nmonitor continuously\n}'],
    [
      ['ready 8181', '1:7'],
      ['ready\nready', '2:1'],
      ['ready {\nmonitor never\n}', '2:9'],
    ],
  ),
  ...cases(
    'log',
    [
      'log',
      'log .',
      'log a.example b.example "{remote} {name}"',
      'log . {\nclass error denial\nclass success\n}',
      'log\nlog a.example',
    ],
    [
      ['log . { class error }', '1:21'],
      ['log {\nclass\n}', '2:1'],
      ['log {\nclass errors\n}', '2:7'],
      ['log {\nlevel 1\n}', '2:1'],
    ],
  ),
  ...cases('debug', ['debug', 'debug\ndebug'], [['debug on', '1:7']]),
  ...cases(
    'bufsize',
    ['bufsize', 'bufsize 1232', 'bufsize 4096'],
    [
      ['bufsize 511', '1:9'],
      ['bufsize big', '1:9'],
      ['bufsize 512 513', '1:13'],
    ],
  ),
  ...cases(
    'timeouts',
    ['timeouts {\nread 5s\nwrite 10\nidle 1m\n}', 'timeouts {\nmaxtcpqueries -1\n}'],
    [
      ['timeouts', '1:1'],
      ['timeouts 5s', '1:10'],
      ['timeouts {\nread 500ms\n}', '2:6'],
      ['timeouts {\nread\n}', '2:1'],
      ['timeouts {\nsleep 5s\n}', '2:1'],
      ['timeouts {\nmaxtcpqueries 0\n}', '2:15'],
    ],
  ),
  ...cases(
    'loadbalance',
    ['loadbalance', 'loadbalance round_robin'],
    [
      ['loadbalance fair', '1:13'],
      ['loadbalance round_robin 2', '1:25'],
      ['loadbalance {\nonly 10.0.0.0/8\n}', '2:1'],
    ],
  ),
  ...cases(
    'trace',
    ['trace', 'trace zipkin 127.0.0.1:9411 {\nevery 1000\nclient_server\n}'],
    [
      ['trace zipkin a:1 b', '1:18'],
      ['trace {\nevery\n}', '2:1'],
      ['trace {\nsometimes\n}', '2:1'],
    ],
  ),
  ...cases(
    'pprof',
    ['pprof', 'pprof 127.0.0.1:6053 {\nblock 1\n}'],
    [
      ['pprof 6053', '1:7'],
      ['pprof\npprof', '2:1'],
      ['pprof {\nheap\n}', '2:1'],
    ],
  ),
  ...cases(
    'metadata',
    ['metadata', 'metadata a.example'],
    [
      ['metadata\nmetadata', '2:1'],
      ['metadata {\nx\n}', '2:1'],
    ],
  ),
  ...['kubernetes', 'file db.example', 'acl', 'view x', 'etcd', 'nsid', 'any', 'minimal'].map(
    (text): DirectiveCase => ({
      name: 'a directive that node-cache lacks',
      text,
      wrong: '1:1',
      ours: 'CoreDNS knows it, node-cache does not',
    }),
  ),
  ...cases(
    'a directive that nobody knows',
    [],
    [
      ['proxy . 192.0.2.1', '1:1'],
      ['rewirte name a b', '1:1'],
      ['dynamicforward', '1:1'],
    ],
  ),
  ...[
    ['forward . ns1.example', '1:11'],
    ['forward . <nil>', '1:11'],
    ['forward . https://192.0.2.1', '1:11'],
    ['forward . 192.0.2.1 {\nsource_address 192.0.2.9\n}', '2:1'],
    ['forward . 192.0.2.1 {\ntls /cert /key\n}', '2:5'],
    ['loadbalance weighted /file', '1:13'],
  ].map(
    ([text = '', wrong = '']): DirectiveCase => ({
      name: 'what is not supported',
      text,
      wrong,
      ours: 'refused by name',
    }),
  ),
]
