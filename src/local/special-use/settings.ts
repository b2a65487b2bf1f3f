/** Settings of special-use names. */
import { onOff, section } from '../../config/setting.ts'

export function specialUseSection() {
  return section(
    'Names with a meaning of their own (RFC 6761), answered here and asked of nobody. The cluster domain and the zones always win.',
    {
      localhost: onOff({
        default: true,
        about:
          'localhost and all below it: 127.0.0.1 and ::1. Its reverse names, with the rest of 127.in-addr.arpa.',
      }),
      invalid: onOff({ default: true, about: 'invalid and all below it: NXDOMAIN.' }),
      onion: onOff({
        default: true,
        about:
          'onion and all below it: NXDOMAIN, so that names of Tor do not leave the node (RFC 7686).',
      }),
      local: onOff({
        default: false,
        about:
          'local and all below it: NXDOMAIN. Off, because companies have it as a domain of their own; it belongs to multicast DNS (RFC 6762).',
      }),
      test: onOff({
        default: false,
        about:
          'test and all below it: NXDOMAIN. Off, because companies have it as a domain of their own.',
      }),
    },
  )
}
