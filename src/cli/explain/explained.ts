/** What the daemon says about one question, read from its lines. Pure. */

export interface Explained {
  /** As the daemon writes it: `www.example.com. A`. */
  readonly question: string
  /** Title and text, in the daemon's order: zone, entry, evidence, upstream, next. */
  readonly lines: readonly { readonly title: string; readonly text: string }[]
  /** What a client gets, or what is done to find it out. */
  readonly outcome: string
  /** The stage that decides: `cache`, `search`, `upstream`. */
  readonly stage: string
  /** Undefined when somebody has to be asked. */
  readonly rcode: string | undefined
  readonly records: readonly string[]
  readonly verdict: Verdict
}

/** Whether a stub resolver goes on behind the name. `asked`: nobody knows yet. */
export type Verdict = 'answered' | 'denied' | 'failed' | 'asked'

export function readExplained(page: string): Explained {
  const [first = '', ...rest] = page.trimEnd().split('\n')
  const lines = rest.flatMap((line) => {
    const [, title = '', text = ''] = /^(\S+) +(.*)$/.exec(line) ?? []
    return title === '' ? [] : [{ title, text }]
  })
  const of = (title: string) => lines.flatMap((line) => (line.title === title ? [line.text] : []))
  const [outcome = ''] = of('outcome')
  const [, rcode] = /^([A-Z][A-Z0-9]+): /.exec(outcome) ?? []
  const records = of('record')
  return {
    question: first,
    lines: lines.filter(({ title }) => title !== 'outcome' && title !== 'record'),
    outcome,
    stage: /\[([^\]]*)\]$/.exec(outcome)?.[1] ?? '',
    rcode,
    records,
    verdict: verdictOf(rcode, records.length),
  }
}

/** @param rcode of a reply; undefined without one */
export function verdictOf(rcode: string | undefined, records: number): Verdict {
  if (rcode === undefined) return 'asked'
  if (rcode === 'NXDOMAIN') return 'denied'
  if (rcode !== 'NOERROR') return 'failed'
  return records > 0 ? 'answered' : 'denied'
}
