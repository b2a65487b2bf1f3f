/** The numbers of the README, from the bars of docs/performance.md: no figure stands in two places. Pure. */

const [head, end] = ['<!-- numbers: `npm run docs` -->', '<!-- end of numbers -->']

/** By the bar's name in docs/performance.md: what the README says of its figure, and the command that measures it. */
const shown: readonly [bar: string, text: (figure: string) => string, command: string][] = [
  [
    "hit at saturation, CPU per query, to CoreDNS's",
    (figure) => `an answer from the cache takes **${figure}** times the CPU that it takes CoreDNS`,
    'npm run bench',
  ],
  [
    "miss over TCP, CPU per query, to CoreDNS's",
    (figure) => `a question that is asked of CoreDNS over TCP takes **${figure}** times`,
    'npm run bench',
  ],
  [
    'RSS, 20,000 answers at 20,000 q/s',
    (figure) =>
      `**${figure}** resident with 20,000 answers in the cache, at 20,000 queries a second`,
    'npm run bench',
  ],
]

/** @throws when a bar is not there, or the README has no place for it */
export function withNumbers(readme: string, performance: string): string {
  const [before, rest] = readme.split(head)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`README.md lacks ${head}`)
  const lines = shown.map(
    ([bar, text, command]) => `- ${text(figureOf(bar, performance))} (\`${command}\`)\n`,
  )
  return `${before}${head}\n\n${lines.join('')}\n${end}${after}`
}

function figureOf(bar: string, performance: string): string {
  const row = performance.split('\n').find((line) => line.startsWith(`| ${bar} `))
  const figure = row?.split('|')[2]?.trim()
  if (figure === undefined) throw new Error(`docs/performance.md has no bar ${bar}`)
  return figure
}
