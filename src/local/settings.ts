/** The sections of the configuration that belong to local stages. Each is declared in the folder of its stage. */
import type { ValueOf } from '../config/setting.ts'
import { specialUseSection } from './special-use/settings.ts'

/** Sections by the name that they have in the configuration. */
export const localSections = {
  specialUse: specialUseSection(),
}

/** What local stages are made from. */
export type LocalSettings = {
  readonly [K in keyof typeof localSections]: ValueOf<(typeof localSections)[K]>
}
