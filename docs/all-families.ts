/** Every metric that a daemon can publish: those of the daemon itself and those of its local stages. */
import { loadConfig } from '../src/config/load.ts'
import { unlimited } from '../src/local/bounded.ts'
import { Rewritings } from '../src/local/rewritings.ts'
import { makeLocalStages } from '../src/local/stages.ts'
import { allFamilies, emptySources } from '../src/observe/families/all.ts'
import type { Family } from '../src/observe/families/family.ts'

export function documentedFamilies(): Family[] {
  const read = loadConfig({})
  if (!read.ok) throw new Error('the defaults are no valid configuration')
  const stages = makeLocalStages({
    settings: read.config,
    claimed: [],
    unserved: [],
    unservedRcode: 'nxdomain',
    limitsOf: () => unlimited,
    textOf: () => '',
  })
  const parts = [new Rewritings(), ...stages]
  return [...allFamilies(emptySources()), ...parts.flatMap((part) => part.families())]
}
