/**
 * What test files get when they import `uvu`: the real one, with every suite, test and hook reported to the
 * session and held to its time limit. uvu alone stays silent when `before` throws, when `.run()` is
 * forgotten, when `.only` hides other tests and when a test never ends.
 */
import './defer.ts'
import { inspect } from 'node:util'
import * as uvu from 'uvu'
import { type SuiteRecord, type SuiteResult, session } from './session.ts'

type Body<T> = uvu.Callback<T>

/** Stands in for uvu's `suite`. */
export function suite<T = Record<string, unknown>>(name = '', context?: T): uvu.Test<T> {
  const real = context === undefined ? uvu.suite<T>(name) : uvu.suite<T>(name, context)
  return tracked(real, session.openSuite(name))
}

/** Stands in for uvu's anonymous suite, which all files share: its record is opened by its first use in a file. */
export const test: uvu.Test = tracked(uvu.test, undefined)

/** uvu's own runner has no place here: the session runs the suites. */
export function exec(): Promise<void> {
  return Promise.reject(new Error('uvu.exec is not for tests: test/run.ts runs them'))
}

function tracked<T>(real: uvu.Test<T>, opened: SuiteRecord | undefined): uvu.Test<T> {
  let last = opened
  const record = (): SuiteRecord => {
    if (last === undefined || !session.isCurrent(last)) last = session.openSuite('')
    return last
  }
  const add = (register: uvu.Test<T>['only'], title: string, body: Body<T>): void => {
    const into = record()
    into.registered++
    register(title, limited(into, title, body))
  }
  const hook = (register: (body: Body<T>) => void, title: string) => (body: Body<T>) =>
    register(limited(record(), title, body, title))
  const hooks = (on: uvu.Test<T>['before'], title: string) =>
    Object.assign(hook(on, title), { each: hook(on.each, `${title}.each`) })
  return Object.assign((title: string, body: Body<T>) => add(real, title, body), {
    only: (title: string, body: Body<T>) => add(real.only, title, body),
    skip: (title?: string) => {
      record().skipped.push(title ?? '(no name)')
      real.skip(title)
    },
    before: hooks(real.before, 'before'),
    after: hooks(real.after, 'after'),
    run: () => {
      real.run()
      record().queue(takeQueued())
      last = opened === undefined ? undefined : last
    },
  })
}

/** Runs `body` under the time limit of its file, and tells the session how it ended. */
function limited<T>(record: SuiteRecord, title: string, body: Body<T>, hook = ''): Body<T> {
  return async (context) => {
    try {
      await session.limit(`${record.name} › ${title}`, () => body(context))
    } catch (thrown) {
      const error = toError(thrown)
      record.failed(title, error, hook !== '')
      // Thrown on from an `after`, it would cost uvu's count of what passed and the hooks that follow.
      if (!hook.startsWith('after')) throw error
    }
  }
}

/** uvu's report reads `.name` and `.stack`, and dies silently of a thrown string or undefined. */
function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`threw ${inspect(thrown)}`)
}

function takeQueued(): () => Promise<SuiteResult> {
  const queued = globalThis.UVU_QUEUE?.[globalThis.UVU_INDEX ?? 0]?.pop()
  if (typeof queued !== 'function') throw new Error('uvu did not queue the suite as it used to')
  return queued as () => Promise<SuiteResult>
}
