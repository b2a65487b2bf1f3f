/** Small programs that tests need in other languages, built once per source text and kept in the cache directory. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cacheDirectory, goPath } from './needs.ts'
import { mustRun } from './process.ts'

/**
 * Builds one C file.
 * @param libraries names as for `-l`
 * @returns path of the program; musl programs are static, so they carry their own resolver
 */
export async function buildC(
  source: string,
  compiler: 'gcc' | 'musl-gcc',
  libraries: readonly string[] = [],
): Promise<string> {
  const flags = compiler === 'musl-gcc' ? ['-static'] : []
  const linked = libraries.map((library) => `-l${library}`)
  return await cached(source, compiler, (target) =>
    mustRun(compiler, ['-O1', '-Wall', '-Werror', ...flags, '-o', target, source, ...linked]),
  )
}

/** Builds one Go file without cgo, so that it has Go's own resolver and not the C library's. */
export async function buildGo(source: string): Promise<string> {
  const go = goPath()
  if (go === undefined) throw new Error('no Go')
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GO111MODULE: 'off' }
  return await cached(source, 'go', (target) =>
    mustRun(go, ['build', '-tags', 'netgo', '-o', target, source], { env, timeoutMs: 120_000 }),
  )
}

/** Builds one Go file that imports packages of a module. @param module with its version */
export async function buildGoOver(source: string, module: string): Promise<string> {
  const go = goPath()
  if (go === undefined) throw new Error('no Go')
  return await cached(source, module.replaceAll('/', '-'), async (target) => {
    const folder = `${target}.module`
    const options = { cwd: folder, env: { CGO_ENABLED: '0' }, timeoutMs: 400_000 }
    await mkdir(folder)
    await copyFile(source, join(folder, 'main.go'))
    await mustRun(go, ['mod', 'init', 'program.invalid'], options)
    await mustRun(go, ['get', module], options)
    // The sums of what its packages import are added on the way.
    await mustRun(go, ['build', '-mod=mod', '-ldflags=-s -w', '-o', target], options)
    await rm(folder, { recursive: true })
  })
}

/** Compiles one Java file. @returns the directory to be given as class path */
export async function buildJava(source: string): Promise<string> {
  return await cached(source, 'java', (target) =>
    mustRun('javac', ['-Xlint:all', '-d', target, source], { timeoutMs: 60_000 }),
  )
}

let asides = 0

async function cached(
  source: string,
  tool: string,
  build: (target: string) => Promise<unknown>,
): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 16)
  const target = join(cacheDirectory(), 'programs', `${basename(source)}-${tool}-${hash}`)
  if (existsSync(target)) return target
  await mkdir(dirname(target), { recursive: true })
  // Built aside and moved: two runs at once, or two tests of one run, must not see half a program.
  const aside = `${target}.${process.pid}-${++asides}`
  await build(aside)
  await rename(aside, target).catch((error: unknown) => {
    // A directory does not replace one that another run has put there meanwhile.
    if (!existsSync(target)) throw error
  })
  return target
}
