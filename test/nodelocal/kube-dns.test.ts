// Goal: the ConfigMap of kube-dns is taken and refused as node-cache does. Method: texts of both keys, and what is wrong with them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readKubeDns } from '../../src/nodelocal/kube-dns.ts'

const test = suite('nodelocal/kube-dns')

const read = (files: Readonly<Record<string, string>>) => readKubeDns((key) => files[key])

function problems(files: Readonly<Record<string, string>>): string {
  const result = read(files)
  return result.ok ? 'ok' : result.problems.join('; ')
}

test('both keys are optional, and other keys are not looked at', () => {
  const empty = read({ Corefile: '.:53 {', federations: 'x' })
  assert.ok(empty.ok)
  assert.equal(empty.config, { stubDomains: new Map(), upstreamNameservers: [] })
  assert.is(problems({ stubDomains: 'null', upstreamNameservers: 'null' }), 'ok')
})

test('stub domains and name servers are taken with and without port', () => {
  const result = read({
    stubDomains:
      '{"corp.example":["192.0.2.1","192.0.2.2:54"],"six.example":["2001:db8::1","[2001:db8::2]:54"]}',
    upstreamNameservers: '["192.0.2.8","192.0.2.9:5353"]',
  })
  assert.ok(result.ok)
  assert.equal(
    [...result.config.stubDomains.keys(), ...result.config.upstreamNameservers],
    ['corp.example', 'six.example', '192.0.2.8', '192.0.2.9:5353'],
  )
})

test('mistakes are named with their key, all at once', () => {
  assert.match(problems({ stubDomains: '{"a":' }), /^stubDomains: no JSON: /)
  assert.is(problems({ stubDomains: '[]' }), 'stubDomains: expected {"DOMAIN": ["SERVER"]}')
  assert.is(
    problems({ stubDomains: '{"Corp.example":["192.0.2.1"]}' }),
    'stubDomains: "Corp.example" is no domain name in lower case',
  )
  assert.is(
    problems({ stubDomains: '{"a.example":["ns.example"],"b.example":[]}' }),
    'stubDomains: "a.example": "ns.example" is no server; write IP or IP:port; stubDomains: "b.example": expected a list of servers, as ["192.0.2.53"]',
  )
  assert.is(
    problems({ upstreamNameservers: '["192.0.2.1","192.0.2.2","192.0.2.3","192.0.2.4"]' }),
    'upstreamNameservers: 4 entries; at most 3',
  )
  assert.match(problems({ upstreamNameservers: '["192.0.2.1:99999"]' }), /no server/)
  assert.match(problems({ upstreamNameservers: '[7]' }), /7 is no server/)
})

test.run()
