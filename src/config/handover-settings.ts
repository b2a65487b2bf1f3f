/** Settings of the hand-over, in which one process replaces another without losing a query. */
import { choice, optionalText, section, whole } from './setting.ts'

/** Linux: `sun_path` has 108 bytes, one of them for the end or the mark of an abstract name. */
const nameCharsMax = 107

const meetingPoint = {
  what: 'the path of a Unix socket, or @NAME',
  parse: (text: string) => {
    const isPath = text.startsWith('/') && text.length > 1
    const isName = text.startsWith('@') && text.length > 1
    if (!isPath && !isName) {
      const why = `${JSON.stringify(text)} is neither an absolute path nor a name with @ in front; expected /run/neardns/handover.sock or @neardns`
      return { ok: false, why } as const
    }
    if (Buffer.byteLength(text) > nameCharsMax) {
      return { ok: false, why: `is too long; at most ${nameCharsMax} bytes` } as const
    }
    return { ok: true, value: text } as const
  },
  examples: ['@neardns', '/run/neardns/handover.sock'],
}

export function handoverSection() {
  return section(
    'A new process takes sockets, cache and client connections from the one that serves, so that an upgrade loses no query. Linux.',
    {
      socket: optionalText({
        ...meetingPoint,
        about:
          'Unix socket where the two processes meet; null turns the hand-over off. @NAME is in the abstract namespace of the network namespace, which pods with hostNetwork share. In both cases only processes of the same user are accepted.',
      }),
      timeoutMs: whole({
        default: 5000,
        min: 100,
        max: 60_000,
        unit: 'ms',
        about:
          'Each side gives up on the other after this much silence, and on a start that takes six times as long; the process that serves continues to serve.',
      }),
      afterwards: choice({
        of: ['exit', 'wait'],
        default: 'exit',
        about:
          'What a process does after its successor has taken over: exit, or wait for SIGTERM, ready to serve again if the successor ends. In Kubernetes use wait: the kubelet would restart a container that exits, and the new process would take over from the successor.',
      }),
    },
  )
}
