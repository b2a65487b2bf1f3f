/*
 * Goal: `template` and `hosts` are for the names of their block alone, as in a Corefile, and keep their order. Method: Corefiles, and the settings
 * of the stages that come of them, which the configuration's own checks accept.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../src/config/load.ts'
import { translate } from '../../src/nodelocal/translate.ts'

const test = suite('nodelocal/stages')

function settingsOf(text: string) {
  const { settings, problems } = translate(text, { file: 'Corefile' })
  assert.equal(problems, [])
  const loaded = loadConfig({ settings: { name: 'Corefile', value: settings } })
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return settings ?? {}
}

const block = (labels: string, lines: string) => `${labels} {\n${lines}\nforward . 192.0.2.1\n}\n`

test('a template of the root block leaves the names of other blocks alone', () => {
  const text =
    block('a.example b.example', 'errors') +
    block('.', 'template IN AAAA {\nrcode NXDOMAIN\nfallthrough\n}\ntemplate ANY ANY c.example')
  assert.equal(settingsOf(text)['templates'], [
    {
      except: ['a.example', 'b.example'],
      type: 'AAAA',
      rcode: 'NXDOMAIN',
      fallthrough: ['.'],
    },
    { zones: ['c.example'], class: 'ANY', type: 'ANY' },
  ])
})

test('one of a zone is for its block only, and for nothing when its names lie elsewhere', () => {
  const text =
    block('a.example', 'template IN A . x.a.example b.example') +
    block('.', 'template IN A y.a.example')
  assert.equal(settingsOf(text)['templates'], [{ zones: ['a.example', 'x.a.example'], type: 'A' }])
})

test('hosts', () => {
  const text =
    block('a.example', 'errors') +
    block('.', 'hosts /etc/more {\n192.0.2.1 x.example\nttl 60\nreload 500ms\nno_reverse\n}')
  assert.equal(settingsOf(text)['hosts'], [
    {
      except: ['a.example'],
      file: '/etc/more',
      entries: ['192.0.2.1 x.example'],
      ttlSeconds: 60,
      reloadSeconds: 1,
      reverse: false,
    },
  ])
})

test('blocks that are alike but for their addresses have one', () => {
  const one = (bind: string) => block('.', `bind ${bind}\ntemplate IN AAAA`)
  assert.equal(settingsOf(one('192.0.2.8') + one('192.0.2.9'))['templates'], [{ type: 'AAAA' }])
  const other = one('192.0.2.8') + block('.', 'bind 192.0.2.9\ntemplate IN A')
  const { problems } = translate(other, { file: 'Corefile' })
  assert.match(problems[0]?.message ?? '', /answered differently/)
})

test.run()
