/**
 * Goal: lines of the query log in a form of the operator's are those of CoreDNS's `log`. Method: stage-differential.ts, and the lines that both programs
 * have written for the same questions.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StageDifferential, type StageQuestion } from '../../support/lab/stage-differential.ts'
import { needing } from '../../support/needs.ts'
import { until } from '../../support/process.ts'

export const testTimeoutMs = 120_000

const test = needing(suite('real/plugins/log'), 'coredns')

const upstream = `template IN A www.example {
  answer "{{ .Name }} 3000 IN A 198.51.100.1"
}
template IN TXT www.example {
  rcode NOERROR
  authority "example. 3000 IN SOA ns. host. 1 2 3 4 3000"
}
template ANY ANY fail.example {
  rcode SERVFAIL
}
template ANY ANY . {
  rcode NXDOMAIN
  authority ". 3000 IN SOA ns. host. 1 2 3 4 3000"
}`

/** Neither the port and the ID, nor sizes and times: the replies are not compressed alike. */
const format =
  'line {remote} {type} {class} {name} {proto} {size} {>do} {>bufsize} {rcode} {>opcode} {local} {odd} {/log/class}'

const questions: readonly StageQuestion[] = [
  ['www.example', 'A'],
  ['WWW.Example', 'A'],
  ['www.example', 'TXT'],
  ['none.example', 'MX'],
  ['fail.example', 'A'],
  ['quiet.example', 'A'],
  ['www.quiet.example', 'A'],
]

test('placeholders, names and classes', async () => {
  const lab = await StageDifferential.start({
    upstream,
    corefile: `metadata\nlog quiet.example "${format}" {\nclass error\n}\nlog . "${format}"`,
    settings: `log:
  queries:
    sampleOneIn: 1
    rules:
      - { zone: quiet.example, classes: [error], format: '${format}' }
      - { zone: ., format: '${format}' }
`,
  })
  try {
    for (const [qname, type] of questions) await lab.both(qname, type)
    const theirs = () => linesOf(lab.logged().coredns)
    const ours = () => linesOf(lab.logged().neardns)
    const areThere = () => Promise.resolve(theirs().length >= 5 && ours().length >= 5)
    await until('both have written their lines', areThere, { timeoutMs: 20_000 })
    // CoreDNS writes a line when the reply is gone, and the next question may overtake it.
    assert.equal(ours().toSorted(), theirs().toSorted())
    assert.is(ours().length, 5)
  } finally {
    await lab.stop()
  }
})

/** From the level on. */
function linesOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /\[INFO\] line .*$/.exec(line)?.[0] ?? [])
}

test.run()
