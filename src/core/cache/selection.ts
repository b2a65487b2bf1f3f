/**
 * Which cached answers an operator means: those to one name, or to all names at and below it, of one type, or denials only. A record that an
 * answer to another question holds, behind an alias or as an address beside an SRV record, is a copy, and meant as well.
 */
import { u16 } from '../../wire/bytes.ts'
import { nameBytesMax } from '../../wire/constants.ts'
import { copyFoldedName } from '../../wire/name.ts'
import { ResponseScan, scanResponse } from '../../wire/scan.ts'
import { nameIn, typeIn } from './key.ts'

export interface Selection {
  /** Folded wire form, one character a byte; undefined: every name. */
  readonly name: string | undefined
  /** Names below it, too. */
  readonly hasSubtree: boolean
  /** Undefined: every type. */
  readonly qtype: number | undefined
  /** NXDOMAIN and NODATA only. */
  readonly isNegativeOnly: boolean
}

/** What is known of an answer. */
export interface Selectable {
  readonly key: string
  readonly isDenial: boolean
  /** The whole message. */
  readonly image: Buffer
}

/** Whether the question of a key is meant. */
export function selectsKey({ name, qtype, hasSubtree }: Selection, key: string): boolean {
  if (qtype !== undefined && typeIn(key) !== qtype) return false
  return name === undefined || isMeant(nameIn(key), name, hasSubtree)
}

/** Whether an answer is meant: by its question, or because it holds a copy of what is meant. */
export function selectsAnswer(selection: Selection, answer: Selectable): boolean {
  if (selection.isNegativeOnly && !answer.isDenial) return false
  if (selectsKey(selection, answer.key)) return true
  return !selection.isNegativeOnly && selection.name !== undefined && holdsCopy(selection, answer)
}

/** Compared label by label. */
function isMeant(name: string, wanted: string, hasSubtree: boolean): boolean {
  if (name === wanted) return true
  if (!hasSubtree || !name.endsWith(wanted)) return false
  let at = 0
  while (name.length - at > wanted.length) at += name.charCodeAt(at) + 1
  return name.length - at === wanted.length
}

const scan = new ResponseScan()
const owner = Buffer.allocUnsafeSlow(nameBytesMax)

function holdsCopy({ name = '', qtype, hasSubtree }: Selection, { image }: Selectable): boolean {
  if (!scanResponse(image, image.length, scan)) return false
  for (let i = 0; i < scan.records; i++) {
    // An SOA says whose denial it is, and is no copy of its owner's data.
    const isAuthority = i >= scan.answers && i < scan.answers + scan.authorities
    const type = u16(image, scan.typeAt[i] as number)
    if (isAuthority || (qtype !== undefined && type !== qtype)) continue
    const bytes = copyFoldedName(image, scan.ownerAt[i] as number, scan.end, owner)
    if (bytes > 0 && isMeant(owner.toString('latin1', 0, bytes), name, hasSubtree)) return true
  }
  return false
}
