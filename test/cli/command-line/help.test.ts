// Goal: every page of help fits one screen, and says all that the definition of the verb has.
// Method: the pages of all verbs, measured and searched.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { overview, verbHelp } from '../../../src/cli/command-line/help.ts'
import { verbs } from '../../../src/cli/command-line/verbs.ts'

const test = suite('cli/command-line/help')

function assertOneScreen(page: string): void {
  const lines = page.trimEnd().split('\n')
  assert.ok(lines.length <= 24, `${lines.length} lines: ${lines[0]}`)
  for (const line of lines) assert.ok(line.length <= 80, line)
}

test('the overview fits one screen and names every verb with what it does', () => {
  assertOneScreen(overview())
  for (const { name, what } of verbs) assert.match(overview(), new RegExp(` ${name} +`), what)
})

for (const verb of verbs) {
  test(`the help of ${verb.name} fits one screen and has its flags, actions and examples`, () => {
    const page = verbHelp(verb)
    assertOneScreen(page)
    const actions = verb.words.flatMap(({ choices = {} }) => Object.keys(choices))
    for (const text of [...Object.keys(verb.flags), ...actions, ...verb.examples]) {
      assert.ok(page.includes(text), text)
    }
  })
}

test('a page of help reads so', () => {
  const query = verbs.find(({ name }) => name === 'query')
  assert.ok(query)
  assert.is(
    verbHelp(query),
    `neardns query NAME [TYPE] [flags]

Ask a server as a pod would, and print the reply.
The type is A unless given; an IP address is asked for its PTR record. NXDOMAIN
and SERVFAIL are replies too.

Flags:
  --server IP:PORT  whom to ask [127.0.0.1:5353]
  --tcp             over TCP; else over UDP first
  --json            print JSON

  neardns query example.com AAAA
  neardns query 10.96.0.10 --server 169.254.20.10:53

Exit codes: 0 a reply, 1 none, 2 wrong command line.
`,
  )
})

test.run()
