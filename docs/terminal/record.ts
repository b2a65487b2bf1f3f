/** `npm run terminal`: records the demo in a real terminal, and draws docs/terminal.svg from what it wrote. Needs `script` of util-linux. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { terminalPicture } from './picture.ts'

const root = join(import.meta.dirname, '../..')
const screen = { rows: 24, columns: 80 }
/** Scenes of the demo that are shown, by the beginning of their titles; the whole demo is too long to look at. */
const scenes = [
  'neardns demo',
  'A name outside',
  'The same again',
  'Twenty pods',
  'CoreDNS is down, and that',
  'In all',
]

function record(): string {
  const program = `${process.execPath} ${join(root, 'src/main.ts')} demo --once --port 5953`
  const line = `stty rows ${screen.rows} cols ${screen.columns}; ${program}`
  const { NO_COLOR: _, ...env } = process.env
  const output = execFileSync('script', ['-qec', line, '/dev/null'], {
    encoding: 'utf8',
    env: { ...env, TERM: 'xterm-256color', FORCE_COLOR: '1' },
  })
  return output.replaceAll('\r', '')
}

/** A scene begins with its title, in bold. */
function chosen(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of a colour
  const parts = output.split(/(?=^\x1b\[1m)/m)
  const seen = new Set<string>()
  return parts
    .filter((part) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of a colour
      const title = part.replace(/^\x1b\[1m/, '')
      const scene = scenes.find((one) => title.startsWith(one))
      // What the pod asks again follows what it asked first.
      if (scene === undefined || (scene === 'The same again' && !seen.has('A name outside')))
        return false
      seen.add(scene)
      return true
    })
    .join('')
}

const prompt = '$ npm run demo\n'
const picture = terminalPicture(
  prompt + chosen(record()),
  screen,
  'neardns demo in a terminal: a pod looks names up, and each question is answered from the cache, by CoreDNS or by nobody',
)
writeFileSync(join(root, 'docs/terminal.svg'), picture)
