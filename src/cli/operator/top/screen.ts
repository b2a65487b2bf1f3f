/**
 * The terminal of `top`: its own screen, keys one by one, and pictures that are written over the last one line by line, so that nothing
 * flickers. With Node's own means (docs/decisions/0054).
 */
import { emitKeypressEvents } from 'node:readline'
import { styleText } from 'node:util'
import type { Paint, Style } from './frame.ts'
import type { Key } from './view.ts'

/** ECMA-48, and DEC's private modes for the other screen and the cursor. */
const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const home = '\x1b[H'
const clearRight = '\x1b[K'

/** DEC's VT100. A terminal whose size nobody has set says 0 by 0. */
const columnsUsual = 80
const rowsUsual = 24

export interface Terminal {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream
}

export interface ScreenEvents {
  onKey(key: Key): void
  onResize(): void
}

/** As `emitKeypressEvents` gives it. */
interface RawKey {
  readonly name?: string
  readonly ctrl?: boolean
}

export class Screen {
  private readonly terminal: Terminal
  private readonly onKeypress: (text: string | undefined, key: RawKey) => void
  private readonly onResize: () => void

  constructor(terminal: Terminal, events: ScreenEvents) {
    this.terminal = terminal
    this.onKeypress = (text, { name = '', ctrl = false }) =>
      events.onKey({ name, ctrl, text: text ?? '' })
    this.onResize = () => events.onResize()
    const { input, output } = terminal
    emitKeypressEvents(input)
    input.setRawMode(true)
    input.resume()
    input.on('keypress', this.onKeypress)
    output.on('resize', this.onResize)
    output.write(enter)
  }

  get width(): number {
    return this.terminal.output.columns || columnsUsual
  }

  get height(): number {
    return this.terminal.output.rows || rowsUsual
  }

  /** Colours as the terminal takes them; none with NO_COLOR. */
  readonly paint: Paint = (style, text) =>
    styleText(styles[style], text, { stream: this.terminal.output })

  draw(lines: readonly string[]): void {
    this.terminal.output.write(home + lines.map((line) => line + clearRight).join('\r\n'))
  }

  /** Gives the terminal back as it was. */
  close(): void {
    const { input, output } = this.terminal
    input.off('keypress', this.onKeypress)
    output.off('resize', this.onResize)
    input.setRawMode(false)
    input.pause()
    output.write(leave)
  }
}

const styles: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  title: 'bold',
  faint: 'dim',
  good: 'green',
  bad: 'red',
  chosen: 'inverse',
}
