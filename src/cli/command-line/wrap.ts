/** Breaks a paragraph into lines for a terminal. */

/** @returns lines of at most `columns` characters, each with its end of line; longer words keep a line for themselves */
export function wrap(text: string, columns: number, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.trimEnd().split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (indent.length + longer.length > columns && line !== '') {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line].map((one) => `${indent}${one}\n`).join('')
}
