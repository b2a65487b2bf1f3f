/**
 * Names that people write in their own letters, as the wire has them: each such label becomes an A-label (RFC 5890 2.3.2.1) by UTS 46,
 * nontransitional, as browsers do it. The conversion is that of `URL`, which Node, unlike `node:url`, has without an import.
 */

export type AsciiName =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly why: string }

/** UTS 46 2.3: full stops of other scripts separate labels as well. */
const separators = /[.\u3002\uff0e\uff61]/u
const token = /\\\d{3}|\\.|./gsu

/** @returns the name in ASCII. One that is ASCII already comes back as it is, right or wrong; escapes (`\046`) stay */
export function asciiName(text: string): AsciiName {
  if (isAscii(text)) return { ok: true, value: text }
  const labels: string[] = []
  for (const label of labelsOf(text)) {
    const ascii = isAscii(label) ? label : asciiLabel(label)
    if (ascii === undefined) return { ok: false, why: mistakeIn(label) }
    labels.push(ascii)
  }
  return { ok: true, value: labels.join('.') }
}

function labelsOf(text: string): string[] {
  const labels = ['']
  for (const [piece] of text.matchAll(token)) {
    if (separators.test(piece) && !piece.startsWith('\\')) labels.push('')
    else labels[labels.length - 1] += piece
  }
  return labels
}

function asciiLabel(label: string): string | undefined {
  // Of ASCII only what host names have: `/`, `@`, `%` and others would end the host of a URL, or change it.
  if (/[^a-z0-9_\-\u0080-\u{10ffff}]/iu.test(label)) return undefined
  // With a label behind it, or one that becomes a number would be read as part of an IPv4 address.
  const host = hostOf(`ws://${label}.invalid`)
  const ascii = host?.slice(0, -'.invalid'.length) ?? ''
  return /^[a-z0-9_-]+$/.test(ascii) ? ascii : undefined
}

function hostOf(url: string): string | undefined {
  return URL.parse(url)?.hostname
}

function mistakeIn(label: string): string {
  const text = JSON.stringify(label)
  return label.includes('\\')
    ? `the label ${text} mixes escapes with letters outside ASCII; write its A-label (xn--...)`
    : `the label ${text} is not a label of an internationalized name (UTS 46)`
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text)
}
