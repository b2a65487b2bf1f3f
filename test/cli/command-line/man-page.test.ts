// Goal: the man page is one that man can show, with every verb and flag in it.
// Method: the text through groff with all warnings on, where there is one; the page that is committed is fresh (docs/generate.ts).
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { manPage } from '../../../src/cli/command-line/man-page.ts'
import { verbGroups, verbs } from '../../../src/cli/command-line/verbs.ts'

const test = suite('cli/command-line/man-page')
const page = manPage(verbGroups, '1.2.3')

test('every verb has a section and every flag an entry', () => {
  for (const { name, flags } of verbs) {
    assert.ok(page.includes(`.SS neardns ${name.replaceAll('-', '\\-')}`), name)
    for (const flag of Object.keys(flags)) {
      assert.ok(page.includes(`.B ${flag.replaceAll('-', '\\-')}`), flag)
    }
  }
})

test('groff has nothing to say against it', () => {
  const ran = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], {
    input: page,
    encoding: 'utf8',
  })
  // Without groff the other test stands alone.
  if (ran.error !== undefined) return
  assert.is(ran.stderr, '')
  assert.match(ran.stdout, /neardns query NAME \[TYPE\] \[flags\]/)
  assert.match(ran.stdout, /--server IP:PORT/)
})

test.run()
