// Goal: an upstream's URL is what an operator would write for it. Method: URLs read by the settings' parser and printed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatUpstream } from '../../src/address/upstream-url.ts'
import { parseUpstream } from '../../src/config/address.ts'

const test = suite('address/upstream-url')

const urls = [
  'udp://10.0.0.2:53',
  'tcp://[fd00::a]:5353',
  'tls://1.1.1.1:853#one.one.one.one',
  'tls://[2606:4700:4700::1111]:853',
]
for (const url of urls) {
  test(`${url} is printed as it was read`, () => {
    const parsed = parseUpstream(url, 'tcp')
    assert.ok(parsed.ok)
    assert.is(formatUpstream(parsed.value), url)
  })
}

test.run()
