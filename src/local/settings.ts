/** The sections of the configuration that belong to local stages. Each is declared in the folder of its stage. */
import type { DeepReadonly, ValueOf } from '../config/setting.ts'
import { dns64List } from './dns64/settings.ts'
import { hostsList } from './hosts/settings.ts'
import { rewriteList } from './rewrites/settings.ts'
import { specialUseSection } from './special-use/settings.ts'
import { templateList } from './templates/settings.ts'
import { whoamiList } from './whoami/settings.ts'

/** Sections by the name that they have in the configuration. */
export const localSections = {
  dns64: dns64List(),
  rewrites: rewriteList(),
  templates: templateList(),
  hosts: hostsList(),
  whoami: whoamiList(),
  specialUse: specialUseSection(),
}

/** What local stages are made from. */
export type LocalSettings = {
  readonly [K in keyof typeof localSections]: DeepReadonly<ValueOf<(typeof localSections)[K]>>
}
