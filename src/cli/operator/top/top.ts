/** `neardns top`: asks a running daemon again and again, and shows what happens: a screen at a terminal, lines into a pipe. */
import { setTimeout as pause } from 'node:timers/promises'
import { readArguments } from '../../command-line/arguments.ts'
import { type CliIo, ExitCode, usageError } from '../../io.ts'
import {
  type AdminPlace,
  type AdminReply,
  askAdmin,
  readPlace,
  reportRefusal,
} from '../admin-client.ts'
import { forms, type Live } from '../forms.ts'
import { between } from '../numbers.ts'
import { valueIn } from '../reply.ts'
import { frame, plainLine, rowsOf } from './frame.ts'
import { Screen, type Terminal } from './screen.ts'
import { firstView, type Key, press, type View, type Wish } from './view.ts'

export interface TopOptions {
  readonly everyMs: number
  /** Looks before it ends by itself. */
  readonly count: number
  readonly isJson: boolean
}

export async function top(argv: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments('top', argv)
  if (!read.ok) return usageError(io, read.why)
  const everyMs = (read.number('--every') ?? 1) * 1000
  const count = read.number('--count') ?? Number.POSITIVE_INFINITY
  const place = readPlace(read.flag('--admin'), read.flag('--token-file'))
  if (!place.ok) return reportRefusal(io, place)
  const options = { everyMs, count, isJson: read.has('--json') }
  const { stdin: input, stdout: output } = process
  const isScreen = input.isTTY && output.isTTY && !options.isJson
  const ending = new AbortController()
  const end = () => ending.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    return isScreen
      ? await new Show(place.place, options, { input, output }, ending).run(io)
      : await lines(place.place, options, io, ending.signal)
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

/** The first look has nothing to compare with, and shows what has been since the start. */
export async function lines(
  place: AdminPlace,
  { everyMs, count, isJson }: TopOptions,
  io: CliIo,
  signal: AbortSignal,
): Promise<number> {
  let before: Live | undefined
  for (let look = 0; look < count && !signal.aborted; look++) {
    if (look > 0) await pause(everyMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const read = valueIn(await askAdmin(place, { path: '/v1/top', signal }), forms.live)
    if (signal.aborted) break
    if (!read.ok) return reportRefusal(io, read)
    const now = read.value
    const rates = between(before, now)
    io.stdout(`${isJson ? JSON.stringify({ ...now, rates }) : plainLine({ now, rates })}\n`)
    before = now
  }
  return ExitCode.ok
}

/** The screen, its state, and the daemon that it asks. */
export class Show {
  private readonly place: AdminPlace
  private readonly options: TopOptions
  private readonly ending: AbortController
  private readonly screen: Screen
  private view: View = firstView
  private before: Live | undefined
  private now: Live | undefined
  private failure: Extract<AdminReply, { ok: false }> | undefined

  constructor(place: AdminPlace, options: TopOptions, terminal: Terminal, ending: AbortController) {
    this.place = place
    this.options = options
    this.ending = ending
    this.screen = new Screen(terminal, {
      onKey: (key) => this.take(key),
      onResize: () => this.draw(),
    })
  }

  async run(io: CliIo): Promise<number> {
    const { signal } = this.ending
    try {
      for (let look = 0; look < this.options.count && !signal.aborted; look++) {
        if (!this.view.isPaused) await this.look()
        // Nobody was there at all: said as every command says it.
        if (this.now === undefined) break
        this.draw()
        await pause(this.options.everyMs, undefined, { signal }).catch(() => undefined)
      }
    } finally {
      this.screen.close()
    }
    const { failure } = this
    const isNever = this.now === undefined && failure !== undefined
    return isNever ? reportRefusal(io, failure) : ExitCode.ok
  }

  private async look(): Promise<void> {
    const { signal } = this.ending
    const read = valueIn(await askAdmin(this.place, { path: '/v1/top', signal }), forms.live)
    if (signal.aborted) return
    this.failure = read.ok ? undefined : read
    if (!read.ok) return
    this.before = this.now
    this.now = read.value
  }

  private draw(): void {
    const { now, before, view, screen, failure } = this
    if (now === undefined) return
    const { width, height, paint } = screen
    const rates = between(before, now)
    const picture = frame({ now, rates, view, width, height }, paint)
    // A daemon that restarts comes back: its last numbers stay, and the reason is said.
    if (failure !== undefined) picture[0] = paint('bad', failure.why.slice(0, width))
    screen.draw(picture)
  }

  private take(key: Key): void {
    const { now, before } = this
    const rows = now === undefined ? [] : rowsOf(this.view, now, between(before, now))
    const [view, wish] = press(
      this.view,
      key,
      rows.map((row) => row.key),
    )
    this.view = view
    if (wish.kind === 'end') this.ending.abort()
    else {
      this.draw()
      void this.fulfil(wish)
    }
  }

  /** Never rejects. */
  private async fulfil(wish: Wish): Promise<void> {
    if (wish.kind !== 'explain' && wish.kind !== 'flush') return
    const name = encodeURIComponent(wish.name)
    const reply =
      wish.kind === 'explain'
        ? await askAdmin(this.place, { path: `/explain/${name}/A` })
        : await askAdmin(this.place, { path: `/v1/cache/flush?name=${name}`, method: 'POST' })
    this.view = { ...this.view, note: noteOf(wish.kind, wish.name, reply) }
    this.draw()
  }
}

function noteOf(kind: 'explain' | 'flush', name: string, reply: AdminReply): readonly string[] {
  if (!reply.ok) return [reply.why]
  const text = reply.body.toString()
  if (kind === 'explain') return text.trimEnd().split('\n')
  const { answers } = JSON.parse(text) as { readonly answers: number }
  return [`flushed ${answers} answers of ${name}`]
}
