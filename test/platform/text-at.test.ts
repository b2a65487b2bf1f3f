/** Goal: a file that cannot be read is told from an empty one. Method: files in a directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { textAt } from '../../src/platform/text-at.ts'

const test = suite('platform/text-at')

test('a file is its text, and what cannot be read is undefined', () => {
  const folder = mkdtempSync(join(tmpdir(), 'neardns-text-at-'))
  try {
    writeFileSync(join(folder, 'some'), 'träge\n')
    writeFileSync(join(folder, 'empty'), '')
    assert.is(textAt(join(folder, 'some')), 'träge\n')
    assert.is(textAt(join(folder, 'empty')), '')
    assert.is(textAt(join(folder, 'missing')), undefined)
    assert.is(textAt(folder), undefined)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
