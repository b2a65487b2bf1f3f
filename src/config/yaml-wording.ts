/** What is wrong in a YAML text, in words for its author: the texts of the yaml package address its callers. */
export interface YamlComplaint {
  readonly code: keyof typeof fixed | 'MISSING_CHAR' | 'UNEXPECTED_TOKEN'
  /** The package's own text, which says what exactly was met. */
  readonly message: string
  /** Where in the text. */
  readonly offset: number
}

/** @param text the whole text @returns one line without a full stop: what is wrong and, where it can be known, what would be right */
export function wording({ code, message, offset }: YamlComplaint, text: string): string {
  if (code === 'MISSING_CHAR') return missing(message)
  if (code === 'UNEXPECTED_TOKEN') return unexpected(message, text.slice(0, offset))
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && message.includes('sequence')) {
    return 'a list item (- ) where the name of a setting is expected'
  }
  const bracket = code === 'BAD_INDENT' ? /[\]}]$/.exec(message)?.[0] : undefined
  if (bracket !== undefined) return `a closing ${bracket} is missing, or stands too far left`
  const found = /[^ ]+$/.exec(message)?.[0] ?? ''
  return fixed[code].replace('%', found)
}

/** `%` stands for the last word of the package's text. */
const fixed = {
  ALIAS_PROPS: 'an alias (*name) takes no tag or anchor of its own',
  BAD_ALIAS:
    'an anchor (&) or alias (*) needs a name without a colon at its end; put a text that begins so in quotes',
  BAD_COLLECTION_TYPE: 'this tag is not for what follows it; remove it',
  BAD_DIRECTIVE:
    'a line that begins with a percent sign is a directive, which is not taken here; remove it',
  BAD_DQ_ESCAPE:
    '% is no escape in double quotes; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT:
    'the indentation does not fit: settings of one section, and items of one list, begin in one column',
  BAD_PROP_ORDER: 'an anchor or tag stands behind the -, ? or : that it belongs to',
  BAD_SCALAR_START: 'a text cannot begin with % unless it is in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a setting inside the value of another; write one a line, those of one section in one column, and put a text that holds a colon and a space in quotes',
  BLOCK_IN_FLOW:
    'settings or items on lines of their own inside [ ] or { }; use one of the two styles',
  DUPLICATE_KEY: 'this key appears twice in one section; remove one of them',
  IMPOSSIBLE: 'this cannot be read as YAML',
  KEY_OVER_1024_CHARS:
    'the name of a setting has more than 1024 characters; is a quote or bracket not closed?',
  MULTILINE_IMPLICIT_KEY:
    'a name must end with a colon on its own line; is the colon missing, or a quote not closed?',
  MULTIPLE_ANCHORS: 'two anchors (&name) at one value; keep one',
  MULTIPLE_DOCS: 'a second document begins here; the file must contain only one',
  MULTIPLE_TAGS: 'two tags at one value; keep one',
  NON_STRING_KEY: 'a list or section where a name is expected; put an address with [ ] in quotes',
  RESOURCE_EXHAUSTION: 'sections or lists are nested too deeply',
  TAB_AS_INDENT: 'a tab is used to indent; YAML takes spaces only',
  TAG_RESOLVE_FAILED:
    'a word that begins with ! is a tag, and this one does not fit here; remove it, or put the text in quotes',
} as const satisfies Readonly<Record<string, string>>

function missing(message: string): string {
  const quote = /Missing closing (["'])/.exec(message)?.[1]
  if (quote !== undefined) return `a closing ${quote} is missing`
  const bracket = /[\]}]$/.exec(message)?.[0]
  if (bracket !== undefined) return `a closing ${bracket} is missing`
  if (message.startsWith('Missing ,')) return 'a comma is missing between two items'
  if (message.startsWith('Missing space')) return 'a space is missing behind the colon'
  if (message.startsWith('Comments')) return 'a comment needs a space before its #'
  if (message.startsWith('Implicit map keys')) {
    return 'a word where a setting is expected; write NAME: VALUE, with a space behind the colon'
  }
  if (message.startsWith('Sequence item')) return 'an item of a list needs - and a space before it'
  if (message.startsWith('Tags')) return 'a tag or anchor needs a space behind it'
  return 'the line --- that begins a document does not stand alone'
}

function unexpected(message: string, before: string): string {
  if (before.endsWith(']')) return 'text after a list; put an address with [ ] in quotes'
  if (message.includes('Unexpected ,') || message.includes('empty item')) return 'a comma too many'
  if (message.includes('scalar header')) return 'nothing may follow | or > on its line'
  return 'this does not belong here; is a quote, a bracket or a line break missing before it?'
}
