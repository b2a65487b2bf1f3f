/**
 * What CoreDNS says of a Corefile, without any server being started: a block put in front has the mistake that it meets last of all
 * (`nomad` is the last of its directives), so "only that one" means that all the rest was accepted.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { corednsPath } from './needs.ts'
import { Child, type SpawnOptions } from './process.ts'

export const lastMistake = "unknown property 'neardns-has-read-all'"

/** What CoreDNS says last; it has `lastMistake` when it found nothing else wrong. */
export async function corednsComplaint(text: string, options: SpawnOptions = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'neardns-complaint-'))
  const corefile = join(directory, 'Corefile')
  await writeFile(corefile, `last.invalid:1 {\nnomad {\nneardns-has-read-all\n}\n}\n${text}`)
  const child = new Child(corednsPath() ?? 'coredns', ['-conf', corefile], options)
  try {
    const exit = await child.exited
    assert.is(exit.code, 1, child.lines.join('\n'))
    return child.lines.at(-1) ?? ''
  } finally {
    await child.stop('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
}
