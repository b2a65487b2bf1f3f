/** Times as Go writes them: `1h2m3.5s`, `300ms`. Source: time.ParseDuration of Go 1.26. */

const nanosecondsIn: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/** @returns nanoseconds; undefined when the text is no duration. A number without unit is none, but for `0` */
export function parseGoDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1
  const body = text.replace(/^[+-]/, '')
  if (body === '0') return 0
  let sum = 0
  part.lastIndex = 0
  while (part.lastIndex < body.length) {
    const match = part.exec(body)
    if (match === null) return undefined
    sum += Number(match[1]) * (nanosecondsIn[match[2] ?? ''] ?? 0)
  }
  return body === '' ? undefined : sign * sum
}

/**
 * node-cache multiplies the duration of `-syncinterval` by a second, so that its nanoseconds count seconds: `60ns` and the default, 60, are
 * one minute, and 10 s or more overflow. Here what was meant counts: a bare number is seconds, and so are nanoseconds.
 * @returns seconds, one at least; undefined when the text is no time
 */
export function parseSyncInterval(text: string): number | undefined {
  const nanoseconds = /^\d+$/.test(text) ? Number(text) : parseGoDuration(text)
  if (nanoseconds === undefined || nanoseconds < 0) return undefined
  const seconds = nanoseconds < 1e6 ? nanoseconds : nanoseconds / 1e9
  return Math.max(1, Math.round(seconds))
}
