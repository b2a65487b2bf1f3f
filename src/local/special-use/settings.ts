/** Settings of special-use names. */
import { onOff, section } from '../../config/setting.ts'

export function specialUseSection() {
  return section(
    'Special-use names (RFC 6761): answered here, and asked of no upstream. The cluster domain and configured zones always win.',
    {
      localhost: onOff({
        default: true,
        about:
          'Names at and below localhost get 127.0.0.1 and ::1; the reverse names of both are answered, with the rest of 127.in-addr.arpa.',
      }),
      invalid: onOff({ default: true, about: 'Names at and below invalid get NXDOMAIN.' }),
      onion: onOff({
        default: true,
        about:
          'Names at and below onion get NXDOMAIN, so that names of Tor do not leave the node (RFC 7686).',
      }),
      local: onOff({
        default: false,
        about:
          'Names at and below local get NXDOMAIN, because it belongs to multicast DNS (RFC 6762). Off, because companies use it as a domain of their own.',
      }),
      test: onOff({
        default: false,
        about:
          'Names at and below test get NXDOMAIN. Off, because companies use it as a domain of their own.',
      }),
    },
  )
}
