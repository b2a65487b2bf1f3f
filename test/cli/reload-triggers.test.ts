/** Goal: SIGHUP and a changed file ask for a reload, and say which of the two it was. Method: real signals, a real file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileOrigin, ReloadTriggers } from '../../src/cli/reload-triggers.ts'

/** Of others in this process. */
const before = process.listeners('SIGHUP')

const test = suite<{ folder: string }>('cli/reload-triggers')

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'neardns-triggers-'))
})
test.after.each(async ({ folder }) => {
  await rm(folder, { recursive: true })
  for (const listener of process.listeners('SIGHUP')) {
    if (!before.includes(listener)) process.off('SIGHUP', listener)
  }
})

/** Triggers for a file, and the reasons they give, to be awaited one by one. */
function listen(path: string | undefined, fileText: string) {
  const reasons: string[] = []
  let tell = () => {}
  const args = { ...(path !== undefined && { configFile: path }), overrides: [] }
  const told: string[] = []
  const note = (_fields: object, message: string) => {
    told.push(message)
    tell()
  }
  const onReload = (because: string) => {
    reasons.push(because)
    tell()
  }
  const log = { info: note, warn: note }
  const triggers = new ReloadTriggers(fileOrigin(args, fileText), onReload, log)
  const until = (count: number) =>
    new Promise<readonly string[]>((resolve) => {
      tell = () => {
        if (reasons.length >= count) resolve([...reasons])
      }
      tell()
    })
  const untilTold = (count: number) =>
    new Promise<readonly string[]>((resolve) => {
      tell = () => {
        if (told.length >= count) resolve([...told])
      }
      tell()
    })
  return { triggers, reasons, until, untilTold }
}

test('a text that differs from what was read is reported, and SIGHUP is', async ({ folder }) => {
  const path = join(folder, 'neardns.yaml')
  await writeFile(path, 'log: {level: warn}\n')
  const { triggers, until } = listen(path, 'log: {level: info}\n')
  triggers.start()
  assert.equal(await until(1), ['file changed'])
  process.kill(process.pid, 'SIGHUP')
  assert.equal(await until(2), ['file changed', 'SIGHUP'])
  triggers.stop()
})

test('a file that is gone is told once, and that it is back', async ({ folder }) => {
  const path = join(folder, 'neardns.yaml')
  const { triggers, reasons, untilTold } = listen(path, 'the same')
  triggers.start()
  assert.equal(await untilTold(1), [
    'a watched file cannot be read; what it said last stays in force',
  ])
  await writeFile(path, 'the same')
  assert.is((await untilTold(2))[1], 'a watched file can be read again')
  triggers.stop()
  assert.equal(reasons, [])
})

test('without a file SIGHUP alone counts', async () => {
  const { triggers, until } = listen(undefined, '')
  triggers.start()
  process.kill(process.pid, 'SIGHUP')
  assert.equal(await until(1), ['SIGHUP'])
  triggers.stop()
})

test('nothing is reported before the start, and a stopped one still listens to SIGHUP', async ({
  folder,
}) => {
  const path = join(folder, 'neardns.yaml')
  await writeFile(path, 'changed')
  const { triggers, reasons, until } = listen(path, '')
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(reasons, [])
  triggers.start()
  triggers.stop()
  process.kill(process.pid, 'SIGHUP')
  assert.equal(await until(1), ['SIGHUP'], 'an unheard SIGHUP would have ended this process')
})

test.run()
