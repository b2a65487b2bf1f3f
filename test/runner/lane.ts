/**
 * A lane's own side: a process that runs the files it is handed, one after another, and reports each. What its tests
 * print goes to its standard output, and behind each file the mark that tells the parent (lanes.ts) that this was all.
 */
import { pathToFileURL } from 'node:url'
import { skippedNeedsOf } from './needs-of.ts'
import type { Report } from './report.ts'
import { session } from './session.ts'

/** A file to be run. */
export interface LaneOrder {
  /** As it is named in the report. */
  readonly label: string
  /** Absolute; empty when there are no more files. */
  readonly path: string
}

export interface LaneNews {
  readonly report: Report
}

/** Begins a line of its own; contains what no test prints. */
export const endMark = '\u0001neardns: end of file\u0001\n'

/** Serves the parent until it has no more files, or is gone. */
export function serveLane(root: string): void {
  let running: Promise<void> = Promise.resolve()
  process.on('message', (order: LaneOrder) => {
    running = running.then(() => obey(order, root))
    running.catch((error: unknown) => session.fail(order.label, String(error)))
  })
  process.on('disconnect', () => session.end(1))
}

async function obey({ label, path }: LaneOrder, root: string): Promise<void> {
  if (path !== '') await session.runFile(label, pathToFileURL(path).href)
  await session.settle()
  const report = session.takeReport()
  report.needs.push(...(await skippedNeedsOf(root)))
  process.stdout.write(endMark)
  const news: LaneNews = { report }
  process.send?.(news, undefined, undefined, () => {
    if (path === '') session.end(0)
  })
}
