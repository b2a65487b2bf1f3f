/** The files in a manifest of a ConfigMap, as `kubectl get configmap -o yaml` prints it, with their places in the manifest. Reads no file. */
import { parseYaml } from '../config/yaml.ts'

export interface MappedFile {
  /** Its key in `data`. */
  readonly key: string
  readonly text: string
  /** Lines and columns of the manifest that come before the text; undefined when it is written otherwise than as a block (`|`). */
  readonly offset: { readonly lines: number; readonly columns: number } | undefined
}

/** @returns undefined when the text is no ConfigMap */
export function filesOfConfigMap(manifest: string): readonly MappedFile[] | undefined {
  if (!/\bkind["']?:\s*["']?ConfigMap\b/.test(manifest)) return undefined
  const parsed = parseYaml(manifest)
  if (!parsed.ok || !isSection(parsed.value) || parsed.value['kind'] !== 'ConfigMap')
    return undefined
  const { data } = parsed.value
  if (!isSection(data)) return []
  const lines = manifest.split('\n')
  return Object.entries(data).flatMap(([key, text]) => {
    if (typeof text !== 'string') return []
    const { line } = parsed.locate(['data', key], 'value')
    return [{ key, text, offset: blockOffset(lines, line) }]
  })
}

/** Line and column of the manifest in the place of those in the text that it holds. */
export function inManifest(
  text: string,
  place: string,
  { name, file: { offset } }: { readonly name: string; readonly file: MappedFile },
): string {
  if (offset === undefined || !text.startsWith(`${place}:`)) return text
  return text
    .slice(place.length)
    .replace(
      /^:(\d+):(\d+)/,
      (_, line, column) =>
        `${name}:${Number(line) + offset.lines}:${Number(column) + offset.columns}`,
    )
}

/** @param line that of the key, from 1 */
function blockOffset(lines: readonly string[], line: number): MappedFile['offset'] {
  if (!/:\s*(?:&\S+\s+)?\|[-+0-9]*\s*(?:#.*)?$/.test(lines[line - 1] ?? '')) return undefined
  const first = lines.slice(line).find((one) => one.trim() !== '') ?? ''
  return { lines: line, columns: first.length - first.trimStart().length }
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
