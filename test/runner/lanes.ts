/**
 * Runs test files in several processes side by side: most of a long test is waiting. Each lane is a process that
 * is handed one file after another (lane.ts), so whatever a file breaks stays in its lane; a lane that ends in the midst of a
 * file is a failure of that file, and another lane takes its place. Output is shown file by file.
 *
 * A file that failed beside others is run once more with the machine to itself, because many tests bound a time. What passes
 * then counts as passed and is listed as unsteady; what fails again fails.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { endMark, type LaneNews, type LaneOrder } from './lane.ts'
import { addReport, emptyReport, type Report } from './report.ts'

/** When more files than that fail, the cause is no lack of processor time, and none of them is run again. */
const filesAgainMax = 8

/** Time for what a dead lane has said to arrive. Its pipes may stay open for longer: what it started has them, too. */
const lastWordsMs = 200

export interface LaneTerms {
  readonly count: number
  /** Command line of a lane, behind the path of Node. */
  readonly argv: readonly string[]
}

/**
 * The last lane takes files from the back, the others from the front, where the long ones are: no more of them than that are
 * under way at a time, and at the end, when a lane has nothing left, the others are busy with short ones.
 */
export async function runInLanes(files: readonly LaneOrder[], terms: LaneTerms): Promise<Report> {
  const reports: Reports = new Map()
  const queue = longFirst(files)
  const count = Math.min(terms.count, files.length)
  const lanes = Array.from({ length: count }, (_, n) =>
    work(() => (n === count - 1 ? queue.pop() : queue.shift()), terms, reports),
  )
  await Promise.all(lanes)
  await runFailedAlone(reports, terms)
  const sum = emptyReport()
  for (const report of reports.values()) addReport(sum, report)
  return sum
}

/** Two thirds of the time is taken by files of these folders, most of it spent in waiting for real programs. */
const longFolders = /(^|\/)(cluster|real)\//

function longFirst(files: readonly LaneOrder[]): LaneOrder[] {
  const [long, short] = [true, false].map((isLong) =>
    files.filter(({ label }) => longFolders.test(label) === isLong),
  )
  return [...(long ?? []), ...(short ?? [])]
}

type Reports = Map<LaneOrder, Report>

async function work(
  next: () => LaneOrder | undefined,
  terms: LaneTerms,
  reports: Reports,
): Promise<void> {
  let lane = new Lane(terms)
  for (let order = next(); order !== undefined; order = next()) {
    reports.set(order, await lane.run(order))
    if (lane.hasEnded) lane = new Lane(terms)
  }
  const last: LaneOrder = { label: 'after the last file of a lane', path: '' }
  reports.set(last, await lane.run(last))
}

async function runFailedAlone(reports: Reports, terms: LaneTerms): Promise<void> {
  const failed = [...reports].filter(([, { failures }]) => failures.length > 0)
  if (failed.length > filesAgainMax || failed.some(([{ path }]) => path === '')) return
  for (const [order, { failures }] of failed) {
    process.stdout.write(`again, alone: ${order.label}\n`)
    const queue = [order]
    await work(() => queue.shift(), terms, reports)
    const second = reports.get(order)
    if (second?.failures.length === 0) second.unsteady.push(...failures)
  }
}

class Lane {
  hasEnded = false
  private readonly child: ChildProcess
  private output = ''
  private news: LaneNews | undefined
  private onProgress: () => void = () => {}

  constructor({ argv }: LaneTerms) {
    this.child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => {
        this.output += text
        this.onProgress()
      })
    }
    this.child.on('message', (news) => {
      this.news = news as LaneNews
      this.onProgress()
    })
    // A lane that is gone cannot be told anything; its end is noticed below.
    this.child.on('error', () => {})
    this.child.once('exit', () => setTimeout(() => this.close(), lastWordsMs))
  }

  /** @returns what the file has to tell, a lane's sudden end included */
  async run(order: LaneOrder): Promise<Report> {
    if (!this.hasEnded) this.child.send(order)
    while (!this.hasEnded && !this.hasReported()) {
      await new Promise<void>((resolve) => {
        this.onProgress = resolve
      })
    }
    const report = this.hasReported() ? this.takeNews() : this.broken(order)
    process.stdout.write(this.output.replace(endMark, ''))
    this.output = ''
    return report
  }

  private hasReported(): boolean {
    return this.news !== undefined && this.output.includes(endMark)
  }

  private takeNews(): Report {
    const report = this.news?.report ?? emptyReport()
    this.news = undefined
    return report
  }

  /** What the lane said last is the best there is to say: the watchdog names the test that it killed. */
  private broken({ label }: LaneOrder): Report {
    const { exitCode, signalCode } = this.child
    const said = /FAIL (.*)$/m.exec(this.output)?.[1]
    const ended = `its process ended with ${signalCode ?? `exit code ${exitCode}`}`
    const what = said === undefined ? ended : `${said.replace(`${label} › `, '')}; ${ended}`
    this.output += `\nFAIL ${label}: ${what}\n`
    return { ...emptyReport(), failures: [{ where: label, what }] }
  }

  private close(): void {
    this.hasEnded = true
    this.onProgress()
  }
}
