/**
 * The call of the configuration in force, with where each value came from. For those who may see names: zones, hosts and carve-outs are in
 * it. No secret is: tokens, keys and certificates are files that it names.
 */
import { type SettingView, settingsOf } from '../../config/in-force/origins.ts'
import type { Config } from '../../config/schema.ts'
import { type AdminCall, jsonPage } from '../../observe/admin-calls.ts'

/** Ten times what a configuration with every setting written has; beyond it are long lists of hosts. */
const shownMax = 5000

export interface ConfigReport {
  readonly settings: readonly SettingView[]
  /** Settings that are left out here. */
  readonly more: number
}

/** Workers have the same configuration, so none is asked. */
export function configCall(config: () => Config): AdminCall {
  return {
    method: 'GET',
    path: '/v1/config',
    answer: () => {
      const all = settingsOf(config())
      const settings = all.slice(0, shownMax)
      const report: ConfigReport = { settings, more: all.length - settings.length }
      return jsonPage(report)
    },
  }
}
