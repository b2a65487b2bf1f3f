/** What `top` shows, and what a key changes of it. Pure: the screen draws, the loop asks. */

export const panes = ['names', 'clients', 'rcodes', 'slowest', 'upstreams'] as const
export type Pane = (typeof panes)[number]

/** What is to be done for a key, besides showing something else. */
export type Wish =
  | { readonly kind: 'none' | 'end' | 'close' }
  | { readonly kind: 'explain' | 'flush'; readonly name: string }

export interface View {
  readonly pane: Pane
  /** Position among the rows that pass the filter. */
  readonly chosen: number
  readonly filter: string
  /** The filter is being typed. */
  readonly isTyping: boolean
  readonly isPaused: boolean
  /** The name whose flush waits for a yes. */
  readonly asksToFlush: string | undefined
  /** Lines over the panes: what explain said, or what became of a flush. */
  readonly note: readonly string[] | undefined
}

export const firstView: View = {
  pane: 'names',
  chosen: 0,
  filter: '',
  isTyping: false,
  isPaused: false,
  asksToFlush: undefined,
  note: undefined,
}

/** A key as `readline.emitKeypressEvents` names it. */
export interface Key {
  readonly name: string
  readonly ctrl: boolean
  /** The character, if it is one. */
  readonly text: string
}

/** @param rows keys of the rows that pass the filter, in their order */
export function press(view: View, key: Key, rows: readonly string[]): readonly [View, Wish] {
  if (key.ctrl && key.name === 'c') return [view, { kind: 'end' }]
  if (view.asksToFlush !== undefined) return answered(view, key, view.asksToFlush)
  if (view.isTyping) return [typed(view, key), nothing]
  if (view.note !== undefined) return [{ ...view, note: undefined }, { kind: 'close' }]
  return commanded(view, key, rows)
}

const nothing: Wish = { kind: 'none' }

function answered(view: View, { name }: Key, flushed: string): readonly [View, Wish] {
  const next = { ...view, asksToFlush: undefined }
  return name === 'y' ? [next, { kind: 'flush', name: flushed }] : [next, nothing]
}

function typed(view: View, { name, text }: Key): View {
  if (name === 'escape') return { ...view, isTyping: false, filter: '', chosen: 0 }
  if (name === 'return' || name === 'enter') return { ...view, isTyping: false }
  if (name === 'backspace') return { ...view, filter: view.filter.slice(0, -1), chosen: 0 }
  const isCharacter = text.length === 1 && text >= '!' && text <= '~'
  return isCharacter ? { ...view, filter: view.filter + text.toLowerCase(), chosen: 0 } : view
}

const paneOf: Readonly<Record<string, Pane>> = {
  n: 'names',
  c: 'clients',
  r: 'rcodes',
  s: 'slowest',
  u: 'upstreams',
}

function commanded(
  view: View,
  { name, text }: Key,
  rows: readonly string[],
): readonly [View, Wish] {
  const pane = paneOf[name]
  if (pane !== undefined) return [{ ...view, pane, chosen: 0 }, nothing]
  const last = Math.max(0, rows.length - 1)
  const chosen = Math.min(view.chosen, last)
  const row = rows[chosen]
  const isOfName = (view.pane === 'names' || view.pane === 'slowest') && row !== undefined
  if (text === '/') return [{ ...view, isTyping: true, filter: '' }, nothing]
  switch (name) {
    case 'q':
      return [view, { kind: 'end' }]
    case 'up':
      return [{ ...view, chosen: Math.max(0, chosen - 1) }, nothing]
    case 'down':
      return [{ ...view, chosen: Math.min(last, chosen + 1) }, nothing]
    case 'tab':
      return [{ ...view, pane: after(view.pane), chosen: 0 }, nothing]
    case 'p':
      return [{ ...view, isPaused: !view.isPaused }, nothing]
    case 'e':
      return [view, isOfName ? { kind: 'explain', name: row } : nothing]
    case 'f':
      return [{ ...view, asksToFlush: isOfName ? row : undefined }, nothing]
    case 'escape':
      return [{ ...view, filter: '', chosen: 0 }, nothing]
    default:
      return [view, nothing]
  }
}

function after(pane: Pane): Pane {
  return panes[(panes.indexOf(pane) + 1) % panes.length] ?? 'names'
}
