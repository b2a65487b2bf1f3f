/** Settings of names that tell a client its own address. */
import { item, list } from '../../config/setting.ts'
import { scopeSettings } from '../scope-settings.ts'

const itemsMax = 64

export function whoamiList() {
  return list({
    of: item('Names that tell a client its own address.', scopeSettings()),
    what: 'items',
    max: itemsMax,
    default: [],
    about:
      'Names whose replies have the address, port and transport of the client as additional records, as by the whoami plugin of CoreDNS: shows what arrives here, and from where. Behind hosts.',
  })
}
