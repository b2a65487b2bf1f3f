/** All cases, by topic, in the order of the page. */
import type { Case, Topic } from '../case.ts'
import { addresses } from './addresses.ts'
import { denials } from './denials.ts'
import { edns } from './edns.ts'
import { messages } from './messages.ts'
import { names } from './names.ts'
import { orderedLists } from './ordered-lists.ts'
import { ownersCases } from './owners.ts'
import { queries } from './queries.ts'
import { refreshing } from './refreshing.ts'
import { rotation } from './rotation.ts'
import { shares } from './shares.ts'
import { silence } from './silence.ts'
import { sizes } from './sizes.ts'
import { slowNames } from './slow-names.ts'
import { types } from './types.ts'

export const allCases: Readonly<Record<Topic, readonly Case[]>> = {
  'ordered-lists': orderedLists,
  'slow-names': slowNames,
  shares,
  silence,
  edns,
  owners: ownersCases,
  sizes,
  types,
  denials,
  refreshing,
  rotation,
  names,
  messages,
  queries,
  addresses,
}
