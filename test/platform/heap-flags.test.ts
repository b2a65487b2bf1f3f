/**
 * Goal: the program starts anew with V8's flags when nobody has decided them, keeping its arguments and environment, and never twice.
 * Method: the process with another execve, for the length of one synchronous call.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ensureHeapFlags, startAnew } from '../../src/platform/heap-flags.ts'

const test = suite('platform/heap-flags')

const flags = ['--max-old-space-size=64', '--max-semi-space-size=4']

interface Start {
  readonly path: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What `work` would have started, had the process these flags. */
function startsOf(
  work: () => void,
  given: { execArgv?: string[]; nodeOptions?: string; execve?: undefined } = {},
): Start[] {
  const starts: Start[] = []
  const { execve, execArgv } = process
  const options = process.env['NODE_OPTIONS']
  const noted = (path: string, args: readonly string[] = [], environment = {}): never => {
    starts.push({ path, args, environment })
    return undefined as never
  }
  Object.assign(process, {
    execve: 'execve' in given ? undefined : noted,
    execArgv: given.execArgv ?? [],
  })
  process.env['NODE_OPTIONS'] = given.nodeOptions ?? ''
  try {
    work()
  } finally {
    Object.assign(process, { execve, execArgv })
    if (options === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = options
  }
  return starts
}

test('flags stand behind those that are there and before the program, whose arguments stay', () => {
  const [start] = startsOf(() => ensureHeapFlags(flags), { execArgv: ['--enable-source-maps'] })
  assert.is(start?.path, process.execPath)
  assert.equal(start?.args, [
    process.execPath,
    '--enable-source-maps',
    ...flags,
    ...process.argv.slice(1),
  ])
})

test('a first flag given by argument or NODE_OPTIONS is respected, whatever its value', () => {
  const ensure = () => ensureHeapFlags(flags)
  assert.equal(startsOf(ensure, { execArgv: ['--max-old-space-size=500'] }), [])
  assert.equal(startsOf(ensure, { nodeOptions: '--trace-gc --max-old-space-size=500' }), [])
  assert.is(startsOf(ensure, { execArgv: ['--max-semi-space-size=8'] }).length, 1)
})

test('the process that was started anew does not start itself again', () => {
  const [start] = startsOf(() => ensureHeapFlags(flags))
  const execArgv = start?.args.slice(1, 1 + flags.length) ?? []
  assert.equal(
    startsOf(() => ensureHeapFlags(flags), { execArgv }),
    [],
  )
})

test("the C library gets one arena unless the environment has a number, and the caller's variables win", () => {
  const before = process.env['MALLOC_ARENA_MAX']
  delete process.env['MALLOC_ARENA_MAX']
  const [plain] = startsOf(() => startAnew({ NEARDNS_STARTED: '1' }))
  process.env['MALLOC_ARENA_MAX'] = '8'
  const [wanted] = startsOf(() => startAnew({}))
  const [forced] = startsOf(() => startAnew({ MALLOC_ARENA_MAX: '2' }))
  if (before === undefined) delete process.env['MALLOC_ARENA_MAX']
  else process.env['MALLOC_ARENA_MAX'] = before
  assert.is(plain?.environment['MALLOC_ARENA_MAX'], '1')
  assert.is(plain?.environment['MALLOC_MMAP_THRESHOLD_'], '131072')
  assert.is(plain?.environment['MALLOC_TRIM_THRESHOLD_'], '131072')
  assert.is(plain?.environment['NEARDNS_STARTED'], '1')
  assert.is(plain?.environment['PATH'], process.env['PATH'])
  assert.is(wanted?.environment['MALLOC_ARENA_MAX'], '8')
  assert.is(forced?.environment['MALLOC_ARENA_MAX'], '2')
})

test('where a process cannot replace itself it goes on as it is', () => {
  assert.equal(
    startsOf(() => ensureHeapFlags(flags), { execve: undefined }),
    [],
  )
})

test.run()
