/** Goal: docs/metrics.md says what is there. Method: it is generated again and compared. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { documentedFamilies } from '../../docs/all-families.ts'
import { metricsMarkdown } from '../../docs/generate-metrics.ts'

const test = suite('observe/metrics-docs')
const path = join(import.meta.dirname, '../../docs/metrics.md')

test('docs/metrics.md is what the definitions say', () => {
  assert.is(readFileSync(path, 'utf8'), metricsMarkdown())
})

test('every family is listed, once', () => {
  const text = metricsMarkdown()
  for (const { name } of documentedFamilies()) {
    assert.is(text.split(`| \`${name}\` |`).length, 2, name)
  }
})

test.run()
