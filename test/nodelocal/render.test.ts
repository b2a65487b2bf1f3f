// Goal: the rendered Corefile is the one that node-cache makes. Method: a template with every pillar, and the special cases of configmap.go.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noKubeDns } from '../../src/nodelocal/kube-dns.ts'
import { renderCorefile, serviceVariable, type TemplateValues } from '../../src/nodelocal/render.ts'

const test = suite('nodelocal/render')

const values: TemplateValues = {
  localIps: ['169.254.7.7', '10.112.0.10'],
  areOnNode: true,
  port: 53,
  clusterDns: '10.112.0.11',
  prometheusListen: ':9253',
  kubeDns: noKubeDns,
}

test('every pillar is replaced, also in comments and several times', () => {
  const template = [
    '# __PILLAR__CLUSTER__DNS__',
    'bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__',
    'forward . __PILLAR__CLUSTER__DNS__ __PILLAR__UPSTREAM__SERVERS__',
    'prometheus __PROMETHEUS__ENDPOINT__',
    '$& __PILLAR__DNS__DOMAIN__',
  ].join('\n')
  assert.is(
    renderCorefile(template, values),
    [
      '# 10.112.0.11',
      'bind 169.254.7.7 10.112.0.10 ',
      'forward . 10.112.0.11 /etc/resolv.conf',
      'prometheus :9253',
      '$& __PILLAR__DNS__DOMAIN__',
    ].join('\n'),
  )
})

test('without the address of the Service a template that asks for it cannot be rendered', () => {
  const unknown = { ...values, clusterDns: undefined }
  assert.is(renderCorefile('forward . __PILLAR__CLUSTER__DNS__', unknown), undefined)
  assert.is(renderCorefile('forward . 10.112.0.9', unknown), 'forward . 10.112.0.9')
})

test("servers of kube-dns replace the node's resolvers, and the TCP of the template as the manifests write it", () => {
  const kubeDns = { ...noKubeDns, upstreamNameservers: ['192.0.2.1', '192.0.2.2:5353'] }
  const tcp = '\n    forward . __PILLAR__UPSTREAM__SERVERS__ {\n            force_tcp\n    }\n'
  assert.is(
    renderCorefile(tcp, { ...values, kubeDns }),
    '\n    forward . 192.0.2.1 192.0.2.2:5353\n',
  )
  assert.match(renderCorefile(tcp, values) ?? '', 'resolv.conf {\n            force_tcp')
  const indented = tcp.replaceAll('    ', '  ')
  assert.match(renderCorefile(indented, { ...values, kubeDns }) ?? '', 'force_tcp')
})

test('each stub domain becomes a block at the end, on the port of DNS and on all addresses', () => {
  const stubDomains = new Map([
    ['corp.example', ['192.0.2.7']],
    ['lab.example', ['192.0.2.8:54', '192.0.2.9']],
  ])
  const kubeDns = { ...noKubeDns, stubDomains }
  assert.is(
    renderCorefile('.:53 {\n}\n', { ...values, port: 1053, kubeDns }),
    `.:53 {
}

corp.example:1053 {
    errors
    cache 30
    bind 169.254.7.7 10.112.0.10
    forward . 192.0.2.7
}

lab.example:1053 {
    errors
    cache 30
    bind 169.254.7.7 10.112.0.10
    forward . 192.0.2.8:54 192.0.2.9
}
`,
  )
})

test('in the pod network a stub domain is served on all addresses', () => {
  const kubeDns = { ...noKubeDns, stubDomains: new Map([['corp.example', ['192.0.2.7']]]) }
  const text = renderCorefile('', { ...values, areOnNode: false, kubeDns }) ?? ''
  assert.not.match(text, 'bind')
})

test("a Service's variable is the one that the kubelet sets", () => {
  assert.is(serviceVariable('kube-dns-upstream'), 'KUBE_DNS_UPSTREAM_SERVICE_HOST')
  assert.is(serviceVariable('coredns'), 'COREDNS_SERVICE_HOST')
})

test.run()
