/**
 * The local stages, in their order: they come after the cache and before anybody is asked. What an operator wrote comes first, in the order
 * of CoreDNS's plugins.
 */
import { HostsStage } from './hosts/stage.ts'
import type { LocalOutlook, LocalStage } from './local-stage.ts'
import { SpecialUseStage } from './special-use/stage.ts'
import { TemplatesStage } from './templates/stage.ts'
import { UnservedStage } from './unserved/stage.ts'
import { WhoamiStage } from './whoami/stage.ts'

export function makeLocalStages(outlook: LocalOutlook): readonly LocalStage[] {
  return [
    new TemplatesStage(outlook),
    new HostsStage(outlook),
    new WhoamiStage(outlook),
    new SpecialUseStage(outlook),
    new UnservedStage(outlook),
  ]
}
