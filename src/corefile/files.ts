/**
 * Other files that a Corefile names: those of `import`, and those of plugins. Somebody else reads them and hands their
 * texts over; what cannot be read from here is undefined, which is a doubt and never an empty file.
 */

export interface CorefileFiles {
  /**
   * Files that `import` puts in the place of `pattern`, by name; none where a pattern with a wildcard matches nothing.
   * @param from path of the file in which the pattern stands; empty: the Corefile itself
   * @returns undefined when it cannot be told from here
   */
  imported(pattern: string, from: string): readonly CorefileFile[] | undefined
  /** @returns text of any other file that is named, as that of `hosts`; undefined when it cannot be read from here */
  text(path: string): string | undefined
}

export interface CorefileFile {
  /** Absolute. */
  readonly path: string
  readonly text: string
}

/** A Corefile with what it names. */
export interface CorefileSource {
  /** Empty when there is no Corefile. */
  readonly text: string
  readonly files: CorefileFiles
}

/** Nothing but the Corefile can be read. */
export const noFiles: CorefileFiles = { imported: () => undefined, text: () => undefined }

/** A Corefile of which nothing else can be read. */
export function corefileAlone(text: string): CorefileSource {
  return { text, files: noFiles }
}

/** Whether CoreDNS refuses a pattern of `import`, because matching it could take too long. */
export function hasManyWildcards(pattern: string): boolean {
  const many = (wildcard: string) => pattern.indexOf(wildcard) !== pattern.lastIndexOf(wildcard)
  return many('*') || many('?') || (pattern.includes('[') && pattern.includes(']'))
}
