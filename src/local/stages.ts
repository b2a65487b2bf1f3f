/** The local stages, in their order: they come after the cache and before anybody is asked. */
import type { LocalOutlook, LocalStage } from './local-stage.ts'
import { SpecialUseStage } from './special-use/stage.ts'
import { UnservedStage } from './unserved/stage.ts'

export function makeLocalStages(outlook: LocalOutlook): readonly LocalStage[] {
  return [new SpecialUseStage(outlook), new UnservedStage(outlook)]
}
