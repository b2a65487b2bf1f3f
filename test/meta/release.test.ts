/**
 * Goal: a release is made only of what is pinned, by jobs that have no right they do not need, and its list of contents is
 * complete. Method: the workflow is read as data and by actionlint, the scripts by shellcheck; the bill of materials is made from the
 * real lock file and compared with what the bundle says it contains.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { notesOf } from '../../scripts/changelog.ts'
import { type Arch, type Bom, imageBom } from '../../scripts/sbom.ts'
import { claimsOf, contradictions } from '../../scripts/version.ts'
import { actionlintPath, needs } from '../support/needs.ts'
import { mustRun } from '../support/process.ts'

export const testTimeoutMs = 60_000

const root = join(import.meta.dirname, '../..')
const folder = join(root, '.github/workflows')
const test = suite('meta/release')

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly environment?: string
  readonly 'timeout-minutes'?: number
  readonly steps: readonly Step[]
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, Job>>
}

const files = readdirSync(folder)
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8')
const workflows = files.map((file) => parse(textOf(file)) as Workflow)
const jobs = workflows.flatMap((workflow) => Object.entries(workflow.jobs))
const steps = jobs.flatMap(([, job]) => job.steps)
const commands = steps.flatMap(({ run }) => run ?? []).join('\n')

test('every action is named by commit, with its version beside it', () => {
  const lines = files
    .flatMap((file) => textOf(file).split('\n'))
    .filter((line) => /\buses:/.test(line))
  assert.ok(lines.length >= 5)
  for (const line of lines)
    assert.match(line, /uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('what is installed beside them is pinned, and no install script runs', () => {
  const installs = commands.split('\n').filter((line) => line.includes('go install'))
  assert.is(installs.length, 2)
  for (const line of installs) assert.match(line, /@v\d+\.\d+\.\d+$/)
  const npm = commands.split('\n').filter((line) => /\bnpm (?:ci|i|install)\b/.test(line))
  assert.ok(npm.length >= 3)
  for (const line of npm) assert.match(line, 'npm ci --ignore-scripts')
  assert.not.match(commands, /curl|wget|npx /)
})

test('rights are given job by job, and only the job that publishes may sign or write', () => {
  for (const { permissions } of workflows) assert.equal(permissions, {})
  for (const [name, { permissions = {}, environment }] of jobs) {
    const writes = Object.entries(permissions).filter(([, right]) => right !== 'read')
    if (name === 'publish') assert.is(environment, 'release')
    else assert.equal(writes, [], name)
  }
})

test('only a tag starts it; every job ends; no checkout leaves a token behind', () => {
  for (const workflow of workflows) assert.equal(workflow.on, { push: { tags: ['v*'] } })
  for (const [name, job] of jobs) assert.ok((job['timeout-minutes'] ?? 0) > 0, name)
  const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
  assert.ok(checkouts.length >= 3)
  for (const step of checkouts) assert.is(step.with?.['persist-credentials'], false)
})

test('no expression is pasted into a shell: values come by environment', () => {
  assert.not.match(commands, '${{')
})

test('the bases must be given by digest', () => {
  const guard = /\[\[ \$base =~ (\S+) \]\]/.exec(commands)?.[1]
  const pattern = new RegExp(guard?.replace('[^@[:space:]]', '[^@\\s]') ?? '$.')
  const digest = 'a'.repeat(64)
  assert.match(`registry.example/node:26-trixie-slim@sha256:${digest}`, pattern)
  assert.not.match('registry.example/node:26-trixie-slim', pattern)
  assert.not.match(`node@sha256:${digest}0`, pattern)
})

test('the scripts that it runs are there and may be run', () => {
  const named = new Set([...commands.matchAll(/scripts\/[\w-]+\.(?:sh|ts)/g)].map(([path]) => path))
  assert.ok(named.size >= 6, [...named].join())
  for (const path of named) {
    accessSync(join(root, path), path.endsWith('.sh') ? constants.X_OK : constants.R_OK)
  }
})

if (needs('actionlint')) {
  test('actionlint finds nothing', () => {
    execFileSync(
      actionlintPath(),
      files.map((file) => join(folder, file)),
      { stdio: 'pipe' },
    )
  })
}

if (needs('shellcheck')) {
  test('shellcheck finds nothing in the scripts', () => {
    const scripts = readdirSync(join(root, 'scripts')).filter((name) => name.endsWith('.sh'))
    assert.ok(scripts.length >= 4)
    execFileSync('shellcheck', scripts, { cwd: join(root, 'scripts'), stdio: 'pipe' })
  })
}

test('package, lock file, manifests and chart name one version, and another tag is refused', () => {
  const claims = claimsOf(root)
  const version = claims['package.json'] ?? ''
  assert.equal(contradictions(`v${version}`, claims), [])
  assert.is(contradictions('v9.9.9', claims).length, Object.keys(claims).length)
  assert.equal(contradictions(version, claims), [`${version} is no tag of a version`])
  assert.equal(contradictions('v1.0.0', { chart: undefined }), [
    'chart says nothing, the tag v1.0.0',
  ])
})

test('the notes of a version are what stands below its heading', () => {
  const changelog = `# Changelog\n\n## Unreleased\n\n## [0.2.0] - 2026-12-01\n\n### New\n\n- a: b\n\n## 0.1.0\n\n- c: d\n`
  assert.is(notesOf(changelog, '0.2.0'), '### New\n\n- a: b')
  assert.is(notesOf(changelog, '0.1.0'), '- c: d')
  assert.is(notesOf(changelog, 'Unreleased'), undefined)
  assert.is(notesOf(changelog, '0.1'), undefined)
  assert.ok(notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), 'Unreleased'))
})

const debian = [
  'iproute2\t6.15.0-1\tiproute2\t6.15.0-1\tamd64',
  'gcc-14\t14.2.0-19\tlibstdc++6\t14.2.0-19\tamd64',
].join('\n')

function bomOf(arch: Arch): Bom {
  const args = ['sbom', '--omit', 'dev', '--package-lock-only', '--sbom-format', 'cyclonedx']
  const npm = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as Bom
  return imageBom({ arch, npm, debian, time: '2026-11-29T00:00:00Z' })
}

test('the bill of materials has every bundled package, Node as advisories name it, and Debian’s sources', async () => {
  const bom = bomOf('amd64')
  const names = new Set(bom.components.map(({ name }) => name))
  const dist = mkdtempSync(join(tmpdir(), 'neardns-bom-'))
  try {
    await mustRun(process.execPath, [join(root, 'build.ts'), dist], { cwd: root })
    const licences = readFileSync(join(dist, 'LICENSES.txt'), 'utf8')
    const bundled = [...`\n---\n\n${licences}`.matchAll(/\n---\n\n(\S+)\n/g)].map(
      (match) => match[1],
    )
    assert.ok(bundled.includes('zod') && bundled.length > 8, bundled.join())
    for (const name of [...bundled, 'koffi']) assert.ok(names.has(name ?? ''), name)
  } finally {
    rmSync(dist, { recursive: true, force: true })
  }
  const node = bom.components.find(({ name }) => name === 'node')
  assert.is(node?.version, process.versions.node)
  assert.is(node?.['cpe'], `cpe:2.3:a:nodejs:node.js:${process.versions.node}:*:*:*:*:*:*:*`)
  assert.is(
    bom.components.find(({ name }) => name === 'libstdc++6')?.purl,
    'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie&upstream=gcc-14%4014.2.0-19',
  )
})

test('two builds of the same sources at the same place are the same bytes, compiled code included', async () => {
  const dist = mkdtempSync(join(tmpdir(), 'neardns-same-'))
  const built = async () => {
    rmSync(dist, { recursive: true })
    await mustRun(process.execPath, [join(root, 'build.ts'), dist], { cwd: root })
    const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    return new Map(
      files
        .filter((file) => file.isFile())
        .map((file) => join(file.parentPath, file.name))
        .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
    )
  }
  try {
    const first = await built()
    assert.ok([...first.keys()].filter((path) => path.includes('/compiled/')).length > 10)
    assert.equal(await built(), first)
  } finally {
    rmSync(dist, { recursive: true, force: true })
  }
})

test('packages of another platform, and those for development, are not in it', () => {
  const platform = /^(?:node-|@koromix\/koffi-)/
  for (const [arch, cpu] of [
    ['amd64', 'x64'],
    ['arm64', 'arm64'],
  ] as const) {
    const names = bomOf(arch).components.map(({ name }) => name)
    assert.equal(names.filter((name) => platform.test(name)).toSorted(), [
      `@koromix/koffi-linux-${cpu}`,
      `node-linux-${cpu}`,
    ])
    assert.not.ok(names.includes('typescript'))
  }
})

test('the same contents make the same bill', () => {
  assert.equal(bomOf('arm64'), bomOf('arm64'))
  assert.is.not(bomOf('arm64')['serialNumber'], bomOf('amd64')['serialNumber'])
})

test.run()
