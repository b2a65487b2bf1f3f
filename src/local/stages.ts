/** The local stages, in their order: they come after the cache and before anybody is asked. */
import type { LocalOutlook, LocalStage } from './local-stage.ts'

export function makeLocalStages(_outlook: LocalOutlook): readonly LocalStage[] {
  return []
}
