/**
 * `npm run build`: the program as a few files, for the image. Node finds, reads and links each module of its own at each start, and
 * there are some 450: docs/decisions/0024 has what that costs.
 *
 *   node build.ts [FOLDER]     the folder is `dist` unless given
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/** Stays a package: it looks for its native library beside itself. */
const external = ['koffi']

/** zod's error texts in fifty languages: ours replace them all. It registers English by itself. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: ({ onLoad }) => {
    // There is nothing left to leave out at run time, and a hook makes Node's loader take longer ways.
    onLoad({ filter: /\/src\/cli\/lean-import\.ts$/ }, () => ({
      contents: 'export const importWithoutLocales = (load) => load()',
    }))
    onLoad({ filter: /\/zod\/v4\/locales\/[\w-]+\.js$/ }, ({ path }) => {
      if (path.endsWith('/en.js')) return undefined
      const isIndex = path.endsWith('/index.js')
      return { contents: isIndex ? "export { default as en } from './en.js'" : '' }
    })
  },
}

/** What the licences of the bundled packages ask for: their texts go with the copies. */
function licencesOf({ inputs }: Metafile): string {
  const packages = Object.keys(inputs).flatMap(
    (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  )
  return [...new Set(packages)]
    .toSorted()
    .map((path) => {
      const file = readdirSync(path).find((name) => /^licen[cs]e/i.test(name))
      if (file === undefined) throw new Error(`${path} has no licence to pass on`)
      const name = path.slice('node_modules/'.length)
      return `${name}\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`
    })
    .join('\n---\n\n')
}

/** Loads all but the entry once, in the Node that the image has too, so that what V8 makes of them can be shipped (src/platform/compile-cache.ts). */
function compileAhead({ outputs }: Metafile, folder: string): void {
  const files = Object.entries(outputs)
    .filter(([path, { entryPoint }]) => path.endsWith('.js') && entryPoint !== 'src/main.ts')
    .map(([path]) => resolve(path))
    // In one order, whichever way they were found.
    .toSorted()
  const directory = join(folder, 'compiled')
  rmSync(directory, { recursive: true, force: true })
  const script = `
    import { enableCompileCache } from 'node:module'
    enableCompileCache({ directory: ${JSON.stringify(directory)}, portable: true })
    for (const path of ${JSON.stringify(files)}) await import(path)`
  // A cache that the environment names would take the place of ours.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  // --predictable: the same sources make the same bytes. V8 leaves it out of the flags that a reader must have, too.
  const args = ['--predictable', '--input-type=module', '-e', script]
  execFileSync(process.execPath, args, { env, stdio: 'inherit' })
}

/**
 * Makes each module that is imported on demand a file of its own, with all that it needs in it. With esbuild's splitting a start loads
 * thirty files, many of a hundred bytes, and Node takes about a millisecond to find and link each (docs/decisions/0047).
 * @param entries gets the modules that are found
 */
function filesOnDemand(entries: Set<string>): Plugin {
  return {
    name: 'files-on-demand',
    setup: ({ onResolve }) => {
      onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined
        entries.add(relative('.', join(resolveDir, path)))
        return { path: `./${basename(path, '.ts')}.js`, external: true }
      })
    },
  }
}

const outdir = resolve(process.argv[2] ?? 'dist')

async function bundle(): Promise<Metafile> {
  const entries = new Set(['src/main.ts'])
  for (;;) {
    const entryPoints = [...entries].toSorted()
    const { metafile, outputFiles } = await build({
      entryPoints,
      outdir,
      entryNames: '[name]',
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node26',
      external,
      sourcemap: true,
      metafile: true,
      // Names stay, for stack traces, and lines stay short, so that line and column say where.
      minifyWhitespace: true,
      lineLimit: 160,
      plugins: [withoutLocales, filesOnDemand(entries)],
      // Packages in CommonJS ask for Node's own modules with `require`.
      banner: {
        js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
      },
    })
    if (entries.size > entryPoints.length) continue
    mkdirSync(outdir, { recursive: true })
    for (const { path, contents } of outputFiles) writeFileSync(path, contents)
    return metafile
  }
}

const metafile = await bundle()
writeFileSync(join(outdir, 'LICENSES.txt'), licencesOf(metafile))
compileAhead(metafile, outdir)
