/**
 * Corefiles as deployments of NodeLocal DNSCache have them. LISTEN stands for the port of a program, HEALTH for the address
 * of its health page, CLUSTER, OUTSIDE and COMPANY for the servers of world.ts.
 */

export interface Form {
  readonly name: string
  readonly corefile: string
  /** Names that only this form knows. */
  readonly names?: readonly string[]
  /** The name under which CoreDNS's cache, which is behind `rewrite`, keeps the answer to another one. */
  readonly keptAs?: Readonly<Record<string, string>>
}

const block = (zones: string, lines: readonly string[]) =>
  `${zones
    .split(' ')
    .map((zone) => `${zone}:LISTEN`)
    .join(' ')} {\n  bind 127.0.0.1\n${lines.map((line) => `  ${line}\n`).join('')}}\n`

const clusterCache = 'cache {\n    success 9984 30\n    denial 9984 5\n  }'
const overTcp = (to: string) => `forward . ${to} {\n    force_tcp\n  }`
const clusterBlock = (more: readonly string[] = []) =>
  block('cluster.local', ['errors', clusterCache, ...more, 'health HEALTH', overTcp('CLUSTER')])
const reverseBlocks = block('in-addr.arpa ip6.arpa', ['errors', 'cache 30', overTcp('CLUSTER')])
const outside = (more: readonly string[] = []) =>
  block('.', ['errors', ...more, 'cache 30', 'forward . OUTSIDE'])

const noAaaa = 'template IN AAAA {\n    rcode NOERROR\n  }'

export const forms: readonly Form[] = [
  { name: 'upstream manifest', corefile: clusterBlock() + reverseBlocks + outside() },
  {
    name: 'everything to the cluster DNS',
    corefile: block('.', ['errors', clusterCache, 'health HEALTH', overTcp('CLUSTER')]),
  },
  {
    name: 'stub zone, prefer_udp',
    corefile:
      clusterBlock() +
      block('corp.example', ['errors', 'cache 30', 'forward . COMPANY']) +
      block('.', ['cache 30', 'forward . OUTSIDE {\n    prefer_udp\n  }']),
  },
  {
    name: 'AAAA switched off by template, prefetch, serve_stale',
    corefile:
      clusterBlock([noAaaa]) +
      block('.', [
        'log',
        'cache 30 {\n    prefetch 3 30s 20%\n    serve_stale 1h verify\n  }',
        noAaaa,
        'forward . OUTSIDE {\n    policy sequential\n  }',
      ]),
  },
  {
    name: 'hosts beside forward',
    corefile: block('.', [
      'cache 30',
      'hosts {\n    192.0.2.10 registry.example\n    2001:db8::10 registry.example\n    192.0.2.11 www.site.example\n    ttl 60\n    fallthrough\n  }',
      'forward . OUTSIDE',
    ]),
    names: ['registry.example', 'www.site.example', '10.2.0.192.in-addr.arpa'],
  },
  {
    name: 'templates with groups, SOA and denials',
    corefile: block('.', [
      'cache 30',
      'template IN A pattern.example {\n    match "^web-(?P<n>[0-9]+)[.]pattern[.]example[.]$"\n    answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"\n    fallthrough\n  }',
      'template ANY AAAA site.example {\n    authority "{{ .Zone }} 60 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. (1 60 60 60 60)"\n  }',
      'template IN PTR ip6.arpa {\n    rcode NXDOMAIN\n  }',
      'forward . OUTSIDE',
    ]),
    names: ['web-7.pattern.example', 'web-x.pattern.example', '1.0.0.0.ip6.arpa'],
  },
  {
    name: 'bounds of TTLs, bufsize, no loadbalance',
    corefile:
      block('cluster.local', [
        'cache {\n    success 9984 20 10\n    denial 9984 8 2\n  }',
        'bufsize 1232',
        overTcp('CLUSTER'),
      ]) + block('.', ['cache 3600', 'bufsize 1232', 'forward . OUTSIDE']),
  },
  {
    name: 'snippet, several zones in one block',
    corefile: `(common) {\n  errors\n  cache 30\n  bind 127.0.0.1\n}\ncluster.local:LISTEN in-addr.arpa:LISTEN {\n  import common\n  forward . CLUSTER\n}\n.:LISTEN {\n  import common\n  forward . OUTSIDE {\n    except corp.example\n  }\n}\n`,
  },
  {
    name: 'without a block for the root',
    corefile: clusterBlock() + block('site.example', ['cache 30', 'forward . OUTSIDE']),
  },
  {
    name: 'no cache',
    corefile: block('cluster.local', [overTcp('CLUSTER')]) + block('.', ['forward . OUTSIDE']),
  },
  {
    name: 'rewrite of names, types, classes and TTLs',
    corefile:
      clusterBlock(['rewrite name suffix .svc.old.local .svc.cluster.local answer auto']) +
      block('old.local', [
        'cache 30',
        'rewrite name suffix .old.local .cluster.local answer auto',
        overTcp('CLUSTER'),
      ]) +
      block('.', [
        'cache 30',
        'rewrite continue {\n    ttl exact www.site.example 7\n  }',
        'rewrite name exact intranet.example www.corp.example',
        'rewrite name prefix old- new- answer auto',
        'rewrite name substring .mirror. .site. answer auto',
        'rewrite stop {\n    name regex ^(.*)[.]eu[.]example[.]$ {1}.site.example\n    answer name ^(.*)[.]site[.]example[.]$ {1}.eu.example\n  }',
        'forward . OUTSIDE',
      ]),
    names: [
      'web.default.svc.old.local',
      'inner.default.svc.old.local',
      'gone.default.svc.old.local',
      'intranet.example',
      'old-www.site.example',
      'www.mirror.example',
      'a1.mirror.example',
      'www.eu.example',
      'many.eu.example',
      'a1.eu.example',
      'gone.eu.example',
      'mail.site.example',
      'www.site.example',
    ],
  },
  {
    name: 'rewrite of a type, without cache',
    corefile: block('.', ['rewrite type MX A', 'forward . OUTSIDE']),
  },
  {
    name: 'dns64 for names outside',
    corefile:
      clusterBlock() +
      block('.', ['dns64 {\n    allow_ipv4\n  }', 'cache 30', 'forward . OUTSIDE']),
  },
  {
    name: 'dns64 with a prefix of its own, in the place of addresses that exist',
    corefile:
      clusterBlock() +
      block('.', [
        'dns64 {\n    prefix 2001:db8:64::/96\n    translate_all\n    allow_ipv4\n  }',
        'cache 30',
        'forward . OUTSIDE',
      ]),
  },
  {
    name: 'whoami beside forward',
    corefile: clusterBlock() + block('whoami.example', ['whoami']) + outside(),
    names: ['whoami.example', 'x.whoami.example'],
  },
  {
    name: 'options of log, errors and forward, two forwards in a block',
    corefile:
      clusterBlock(['log . {\n    class denial error\n  }']) +
      block('.', [
        'errors {\n    consolidate 5m ".* i/o timeout$" warning\n    stacktrace\n  }',
        'log corp.example "{remote} {name} {rcode}"',
        'cache 30',
        'forward corp.example COMPANY {\n    prefer_udp\n    max_fails 2\n    health_check 1s no_rec\n  }',
        'forward . OUTSIDE {\n    except corp.example\n    expire 10s\n    max_concurrent 1000\n    policy round_robin\n  }',
      ]),
  },
  {
    name: 'rewrite beside hosts and template',
    corefile: block('.', [
      'cache 30',
      'rewrite name nas.lan.example registry.example',
      'rewrite name regex (.*)[.]rules[.]example {1}.pattern.example answer auto',
      'rewrite ttl regex ^www[.] 9-12',
      'rewrite class CH IN',
      'hosts {\n    192.0.2.10 registry.example\n    fallthrough\n  }',
      'template IN A pattern.example {\n    match "^web-(?P<n>[0-9]+)[.]pattern[.]example[.]$"\n    answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"\n    fallthrough\n  }',
      'forward . OUTSIDE',
    ]),
    names: [
      'nas.lan.example',
      'registry.example',
      'web-9.rules.example',
      'web-9.pattern.example',
      'away.site.example',
    ],
    keptAs: {
      'nas.lan.example': 'registry.example',
      'web-9.rules.example': 'web-9.pattern.example',
    },
  },
  {
    name: 'tabs, CRLF, comments, upper case and a byte order mark',
    corefile:
      '\ufeff# of the node\r\n\r\nCluster.LOCAL:LISTEN\tIn-Addr.Arpa:LISTEN {\r\n\tbind\t127.0.0.1 # here\r\n\terrors\r\n\tcache {\r\n\t\tsuccess\t9984 30\r\n\t\tdenial 9984\t5 # short\r\n\t}\r\n\thealth HEALTH\r\n\tforward .\tCLUSTER {\r\n\t\tforce_tcp\r\n\t}\r\n}\r\n.:LISTEN {\r\n\tbind 127.0.0.1\r\n\tcache 30\r\n\tforward . OUTSIDE\r\n}',
  },
  {
    name: 'snippets in snippets and in options, words in quotes',
    corefile:
      '(base) {\n  errors\n  bind 127.0.0.1\n}\n(kept) {\n  import base\n  cache 30\n}\n(tcp) {\n  force_tcp\n  max_fails 0\n}\nin-addr.arpa:LISTEN,\n"cluster.local:LISTEN" ip6.arpa:LISTEN {\n  import kept\n  forward "." CLUSTER {\n    import tcp\n    policy random\n  }\n}\n.:LISTEN {\n  "import" kept\n  import kept2*\n  forward . OUTSIDE\n}\n',
  },
  {
    name: 'a cluster domain that asks nobody, but for hosts and templates',
    corefile:
      block('cluster.local', [
        'errors',
        'cache 30',
        'template IN A v4.cluster.local {\n    answer "{{ .Name }} 60 IN A 192.0.2.77"\n  }',
        'hosts {\n    192.0.2.10 api.cluster.local\n    fallthrough\n  }',
      ]) + outside(),
    names: ['api.cluster.local', 'x.v4.cluster.local', 'other.cluster.local'],
  },
  {
    name: 'labels of which no name lies in some, networks, a zone within a zone',
    corefile:
      block('*.cluster.local cluster.local 192.0.2.0/33', ['cache 30', overTcp('CLUSTER')]) +
      block('10.0.0.0/8 192.168.0.0/16 2001:db8::/32', ['cache 30', overTcp('CLUSTER')]) +
      block('corp.example', ['cache 30', 'forward . COMPANY']) +
      block('www.corp.example', ['cache 30', 'forward . OUTSIDE']) +
      outside(),
  },
]
