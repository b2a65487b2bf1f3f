/** A bar, and whether a figure meets it. A bar is told and never asserted: a figure is not a test. Pure. */

export interface Bar {
  readonly what: string
  readonly unit: 'x' | 'MB' | 'ms' | '%' | ''
  readonly isAtMost: boolean
  readonly bar: number
  /** Undefined when it was not measured. */
  readonly measured: number | undefined
}

export interface Verdict extends Bar {
  readonly verdict: 'met' | 'not met' | 'not measured'
}

export function judge(bar: Bar): Verdict {
  const { measured, isAtMost } = bar
  if (measured === undefined || !Number.isFinite(measured)) {
    return { ...bar, measured: undefined, verdict: 'not measured' }
  }
  const isMet = isAtMost ? measured <= bar.bar : measured >= bar.bar
  return { ...bar, verdict: isMet ? 'met' : 'not met' }
}

export function atMost(
  what: string,
  bar: number,
  measured: number | undefined,
  unit: Bar['unit'] = '',
): Verdict {
  return judge({ what, unit, isAtMost: true, bar, measured })
}

export function atLeast(
  what: string,
  bar: number,
  measured: number | undefined,
  unit: Bar['unit'] = '',
): Verdict {
  return judge({ what, unit, isAtMost: false, bar, measured })
}
