/**
 * Goal: a connection table that is nearly full is a trouble, one that cannot be read is none, and looking costs two files in ten seconds.
 * Method: processes in mount namespaces of their own, where /proc/sys/net is what the test has written.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { needing } from '../../support/needs.ts'
import { runToEnd } from '../../support/process.ts'

const test = needing(suite('host/backends/conntrack'), 'root', 'netns')

const program = `
import { writeFileSync } from 'node:fs'
import { ConntrackWatch } from '${import.meta.resolve('../../../src/host/backends/conntrack.ts')}'
const watch = new ConntrackWatch()
const first = await watch.check()
try { writeFileSync('/proc/sys/net/netfilter/nf_conntrack_count', '1000\\n') } catch {}
console.log(JSON.stringify([first, await watch.check()]))
`

/** @returns what two looks at once found, the table being full at the second */
async function lookAt(files: Readonly<Record<string, string>>) {
  const writes = Object.entries(files).map(
    ([name, text]) => `printf '${text}\\n' > /proc/sys/net/netfilter/${name}`,
  )
  const script = [
    'mount -t tmpfs none /proc/sys/net',
    'mkdir /proc/sys/net/netfilter',
    ...writes,
    `exec '${process.execPath}' --input-type=module -e "$PROGRAM"`,
  ].join(' && ')
  const { output, code } = await runToEnd('unshare', ['--mount', 'sh', '-c', script], {
    env: { PROGRAM: program },
  })
  assert.is(code, 0, output)
  const [first, second] = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  assert.equal(second, [], 'a second look at once does not read')
  return first
}

test('95 % and more counts as full, and the message has both numbers', async () => {
  const [full] = await lookAt({ nf_conntrack_count: '950', nf_conntrack_max: '1000' })
  assert.is(full?.kind, 'conntrack_full')
  assert.is(full?.what, 'conntrack holds 950 of 1000 entries')
  assert.equal(await lookAt({ nf_conntrack_count: '949', nf_conntrack_max: '1000' }), [])
})

test('a kernel without connection tracking is never full', async () => {
  assert.equal(await lookAt({}), [])
  assert.equal(await lookAt({ nf_conntrack_count: '7' }), [], 'one of two files')
})

test('a maximum of zero or no number is none', async () => {
  assert.equal(await lookAt({ nf_conntrack_count: '5', nf_conntrack_max: '0' }), [])
  assert.equal(await lookAt({ nf_conntrack_count: '5', nf_conntrack_max: 'max' }), [])
})

test.run()
