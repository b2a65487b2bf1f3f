/**
 * The program as the image ships it, built from the sources as they are: what users run is what the tests start, and a start takes a third of the
 * processor time that it takes from the sources (some 450 modules). Kept in node_modules until a source changes.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '../..')
const folder = join(repository, 'node_modules/.cache/neardns-built')
/** Node looks no further than the next folder of modules for it. */
const manifest = 'package.json'
const kernelProgram = 'src/kernel/hit-program.json'
/** A run that uses an older state has ended by then. */
const keptMs = 24 * 3_600_000

let built: string | undefined

/** @returns the path of its `main.js`. The kernel's program is beside it if it has been compiled by now. */
export function builtProgram(): string {
  built ??= build()
  addKernelProgram(built)
  return join(built, 'main.js')
}

/** Tests compile it when they need it, which may be after the build. */
function addKernelProgram(target: string): void {
  const [from, to] = [join(repository, kernelProgram), join(target, 'hit-program.json')]
  if (!existsSync(from)) return
  if (existsSync(to) && statSync(to).mtimeMs >= statSync(from).mtimeMs) return
  const aside = `${to}.${process.pid}`
  copyFileSync(from, aside)
  renameSync(aside, to)
}

function build(): string {
  const target = join(folder, stateOfSources())
  if (existsSync(target)) return target
  removeOld()
  // Built aside and moved: another run must not see half a program.
  const aside = `${target}.${process.pid}`
  mkdirSync(aside, { recursive: true })
  copyFileSync(join(repository, manifest), join(aside, manifest))
  execFileSync(process.execPath, ['build.ts', aside], { cwd: repository, stdio: 'pipe' })
  try {
    renameSync(aside, target)
  } catch (error) {
    if (!existsSync(target)) throw error
    rmSync(aside, { recursive: true })
  }
  return target
}

function removeOld(): void {
  if (!existsSync(folder)) return
  for (const state of readdirSync(folder)) {
    const path = join(folder, state)
    // Another lane may have moved or removed it by now.
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - since > keptMs) rmSync(path, { recursive: true, force: true })
  }
}

function stateOfSources(): string {
  const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((path) => path.endsWith('.ts')).map((path) => join('src', path))
  const paths = [...sources, manifest, 'build.ts'].toSorted()
  const hash = createHash('sha256')
  for (const path of paths) {
    const { mtimeMs, size } = statSync(join(repository, path))
    hash.update(`${path} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
