// Goal: what of the Dockerfile can be checked without a container engine is checked: its instructions, its sources,
// the packages it relies on, and that the compiled daemon needs nothing but the production packages.
// Method: the file parsed line by line; the image's /app rebuilt in a temporary directory from the lock file.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freePort } from '../support/free-port.ts'
import { mustRun, runToEnd } from '../support/process.ts'

const root = join(import.meta.dirname, '../..')
const test = suite('image')

interface Instruction {
  readonly word: string
  readonly rest: string
}

/** Continuation lines joined, comments left out. */
function instructions(): Instruction[] {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll(/^\s*#.*\n/gm, '')
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
      return { word, rest }
    })
}

const restsOf = (word: string) =>
  instructions()
    .filter((instruction) => instruction.word === word)
    .map((instruction) => instruction.rest)

/** Instructions of a stage, its FROM included. */
function stageOf(from: (rest: string) => boolean): Instruction[] {
  const all = instructions()
  const start = all.findIndex(({ word, rest }) => word === 'FROM' && from(rest))
  const length = all.slice(start + 1).findIndex(({ word }) => word === 'FROM')
  return all.slice(start, length < 0 ? all.length : start + 1 + length)
}

/** Instructions of what is shipped, for both users. */
const finalStage = () => stageOf((rest) => rest.endsWith(' AS base'))

test('every line is an instruction that Docker knows', () => {
  const known = ['ARG', 'FROM', 'WORKDIR', 'RUN', 'COPY', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD']
  for (const { word, rest } of instructions()) assert.ok(known.includes(word), `${word} ${rest}`)
})

test('both bases are named and not "latest"', () => {
  const defaults = new Map(restsOf('ARG').map((rest) => rest.split('=') as [string, string]))
  const bases = restsOf('FROM').map((rest) => {
    const name = /^\$\{(\w+)\}/.exec(rest)?.[1] ?? ''
    return defaults.get(name) ?? rest
  })
  const named = bases.filter((base) => !base.startsWith('base'))
  assert.is(named.length, 2)
  for (const base of named) assert.match(base, /^[a-z]+:[\w.-]*trixie[\w.-]*( AS base)?$/)
})

test('the daemon is started without a shell, as root unless the other target is built', () => {
  const stage = finalStage()
  const entry = stage.find(({ word }) => word === 'ENTRYPOINT')?.rest ?? ''
  assert.equal(JSON.parse(entry), ['/app/dist/start'])
  const source = readFileSync(join(root, 'src/system/first-sockets.c'), 'utf8')
  assert.ok(source.includes('#define NODE "/usr/local/bin/node"'))
  assert.equal(JSON.parse(stage.find(({ word }) => word === 'CMD')?.rest ?? ''), ['run'])
  const last = instructions().at(-1)
  assert.equal([last?.word, last?.rest], ['FROM', 'base'])
  const [, user] = stageOf((rest) => rest === 'base AS unprivileged')
  assert.match(user?.rest ?? '', /^[1-9]\d*:[1-9]\d*$/)
  assert.not.ok(stage.some(({ word }) => word === 'USER'))
})

test("the name of node-cache's program, and iptables in the variant of the node, are there", () => {
  const runs = finalStage().map(({ rest }) => rest)
  assert.ok(runs.some((rest) => rest.includes('ln -s /app/dist/start /node-cache')))
  assert.ok(runs.some((rest) => rest.includes('ln -s /app/dist/main.js /usr/local/bin/neardns')))
  assert.ok(runs.includes('scripts/node-iptables /usr/local/sbin/iptables'))
})

test('every file that is copied from the repository exists and is let through by .dockerignore', () => {
  const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  assert.ok(ignore.includes('*'))
  for (const rest of restsOf('COPY').filter((copy) => !copy.startsWith('--from'))) {
    for (const source of rest.split(/\s+/).slice(0, -1)) {
      assert.ok(existsSync(join(root, source)), source)
      assert.ok(ignore.includes(`!${source}`), `.dockerignore keeps ${source} out`)
    }
  }
})

test('everything that the last stage takes from the first is made there', () => {
  const made = restsOf('RUN').join('\n')
  for (const rest of restsOf('COPY').filter((copy) => copy.startsWith('--from=build'))) {
    const source = rest.split(/\s+/)[1] ?? ''
    assert.ok(made.includes(source), `${source} is made by no RUN`)
  }
})

test('what carries the hour of the build does not stay in the image', () => {
  const install = finalStage().find(({ word }) => word === 'RUN')?.rest ?? ''
  const removed = /rm -rf (.*)$/.exec(install)?.[1]?.split(/\s+/)
  assert.equal(removed, [
    '/var/lib/apt/lists/*',
    '/var/log/apt',
    '/var/log/*.log',
    '/var/cache/apt/*.bin',
    '/var/cache/ldconfig/aux-cache',
  ])
})

test('the shared libraries of the Node binary are in the base or installed', () => {
  // Debian's names of the packages that hold them; libgcc-s1 comes as a dependency of libstdc++6.
  const packageOf: Readonly<Record<string, string>> = {
    'libatomic.so.1': 'libatomic1',
    'libstdc++.so.6': 'libstdc++6',
    'libgcc_s.so.1': 'libstdc++6',
    'libc.so.6': 'base',
    'libm.so.6': 'base',
    'libdl.so.2': 'base',
    'libpthread.so.0': 'base',
  }
  const installed = finalStage()
    .filter(({ word }) => word === 'RUN')
    .flatMap(({ rest }) =>
      /install -y --no-install-recommends ([^&]+)/.exec(rest)?.[1]?.split(/\s+/),
    )
  for (const tool of ['iproute2', 'iptables', 'nftables']) assert.ok(installed.includes(tool), tool)
  const listed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
  const libraries = [...listed.matchAll(/^\s*(\S+\.so\S*) => /gm)].map((match) => match[1] ?? '')
  assert.ok(libraries.includes('libc.so.6'), listed)
  for (const library of libraries.filter((name) => !name.startsWith('linux-vdso'))) {
    const owner = packageOf[library]
    assert.ok(
      owner === 'base' || installed.includes(owner),
      `${library} is in no installed package`,
    )
  }
})

interface LockEntry {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

function lockedPackages(): Readonly<Record<string, LockEntry>> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>
  }
  return lock.packages
}

test('the lock file has an entry for every platform package, without which npm ci refuses it', () => {
  // `npm install` leaves out those that the registry it asked does not carry.
  const packages = lockedPackages()
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(packages[`node_modules/${name}`], `${path} names ${name}`)
    }
  }
})

test('the bundled daemon answers with nothing but the packages of the image beside it', async () => {
  const app = mkdtempSync(join(tmpdir(), 'neardns-image-'))
  try {
    await mustRun(process.execPath, [join(root, 'build.ts'), join(app, 'dist')], { cwd: root })
    cpSync(join(root, 'package.json'), join(app, 'package.json'))
    for (const path of ['node_modules/koffi', 'node_modules/@koromix'])
      cpSync(join(root, path), join(app, path), { recursive: true })
    const main = join(app, 'dist/main.js')
    // The demo loads every part of the daemon.
    const args = [main, 'demo', '--once', '--port', String(await freePort())]
    const { code, output } = await runToEnd(process.execPath, args, {
      cwd: tmpdir(),
      env: { NODE_COMPILE_CACHE: '' },
    })
    assert.is(code, 0, output)
    assert.match(output, 'questions from pods')
  } finally {
    rmSync(app, { recursive: true, force: true })
  }
})

test.run()
