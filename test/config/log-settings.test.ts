/** Goal: a collector is named by a URL that has no secret in it. Method: texts through the checks of a file. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { traceUrl } from '../../src/config/log-settings.ts'

const test = suite('config/log-settings')

function mistakesIn(endpoint: string): string[] {
  const text = JSON.stringify({ log: { traces: { endpoint } } })
  const loaded = loadConfig({ file: { name: 'a.yaml', text } })
  return loaded.ok ? [] : loaded.problems.map(({ message }) => message)
}

test('a URL of HTTP or HTTPS is taken, with its path, or with that of OTLP', () => {
  const urls = {
    'http://192.0.2.5:4318': 'http://192.0.2.5:4318/v1/traces',
    'https://otel.example/': 'https://otel.example/v1/traces',
    'http://[2001:db8::1]:4318': 'http://[2001:db8::1]:4318/v1/traces',
    'https://otel.example/tenant/v1/traces?key=a': 'https://otel.example/tenant/v1/traces?key=a',
  }
  for (const [text, url] of Object.entries(urls)) {
    assert.equal(mistakesIn(text), [], text)
    assert.is(traceUrl(text).href, url)
  }
})

test('what is none, or has a secret in it, is refused with the way to write it', () => {
  const wrong = { '192.0.2.5:4318': 'write a URL', 'grpc://a.example:4317': 'write a URL' }
  const more = { 'https://a:b@otel.example': 'headersFile', 'http://a.example/#b': '#fragment' }
  const long = { [`http://${'a'.repeat(2048)}.example`]: 'longer than 2048' }
  for (const [text, says] of Object.entries({ ...wrong, ...more, ...long, '': 'write a URL' }))
    assert.match(mistakesIn(text).join(), says, text)
})

test.run()
