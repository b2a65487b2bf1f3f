/**
 * Functions of the kernel and libuv that Node does not offer, through koffi; its only owner. Everything here is unchecked: a
 * wrong length or a freed buffer is a crash, so callers pass memory that one long-lived object owns.
 *
 * Linux on 64-bit little-endian machines, glibc or musl. `recvmmsg` and `sendmmsg` exist in both; musl's `sendmmsg` calls
 * `sendmsg` in a loop, which only costs speed.
 */
import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import type * as Koffi from 'koffi'
import { Linux } from './linux.ts'
import { systemError, UnsupportedPlatform } from './system-error.ts'

/** F_DUPFD_CLOEXEC. */
const fcntlDupFdCloExec = 1030

/** The one number here that is not of the generic ABI. */
const bpfCall = { x64: 321, arm64: 280 } as const
const clockBootTime = 7

/** uv_poll_event, of libuv's stable ABI. */
const uvReadable = 1
const uvWritable = 2
const uvPollHandle = 8

type Call = (...args: readonly unknown[]) => number

/** A file descriptor that libuv's own loop watches. */
export interface Watch {
  /** Whether to report that the descriptor can be written to; off at first. */
  setWritable(wanted: boolean): void
  /** Whether to report that the descriptor can be read from; on at first. */
  setReadable(wanted: boolean): void
  /** Ends the calls; resolves when libuv has released the descriptor, which can be closed then. */
  close(): Promise<void>
}

/** Each call returns what C returns, but -errno instead of -1. */
export interface SystemCalls {
  /** @param protocol default 0: the usual one of domain and type */
  socket(domain: number, type: number, protocol?: number): number
  bind(fd: number, name: Uint8Array): number
  listen(fd: number, backlog: number): number
  /** Another descriptor of the same socket, closed on exec. */
  duplicate(fd: number): number
  /** @param into filled with the socket's own address */
  getSocketName(fd: number, into: Uint8Array): number
  setOption(fd: number, level: number, option: number, value: Uint8Array): number
  getIntOption(fd: number, level: number, option: number): number
  /** @param into filled with the option's value; its whole length is requested */
  getOption(fd: number, level: number, option: number, into: Uint8Array): number
  /** @param header a `struct msghdr`; everything it points to must be alive */
  sendMessage(fd: number, header: Uint8Array): number
  receiveMessage(fd: number, header: Uint8Array): number
  /** @param headers array of `struct mmsghdr`; everything they point to must be alive */
  receiveMessages(fd: number, headers: Uint8Array, count: number): number
  sendMessages(fd: number, headers: Uint8Array, count: number): number
  /**
   * `send(2)` on a thread of libuv's pool, for calls in which the kernel may make the caller wait for a lock.
   * @param data must not change until the promise resolves
   * @returns bytes sent, or -errno
   */
  sendElsewhere(fd: number, data: Uint8Array): Promise<number>
  /** `recv(2)` without waiting. @returns length of the datagram, cut to `into`; -EAGAIN when there is none */
  receive(fd: number, into: Uint8Array): number
  closeDescriptor(fd: number): number
  /** @param attributes a `union bpf_attr`; everything it points to must be alive. The kernel writes into it */
  bpf(command: number, attributes: Uint8Array): number
  /** CLOCK_BOOTTIME, nanoseconds: goes on while the machine is suspended. */
  bootNs(): bigint
  /**
   * Unmaps pages; the next access maps them again, with the content of their file. Changes made in memory are lost: only for
   * mappings without changes.
   * @param length bytes, whole pages
   */
  dropPages(address: bigint, length: number): number
  /** Address of the first byte of `memory`. Buffers with an ArrayBuffer of their own do not move. */
  addressOf(memory: Uint8Array): bigint
  /**
   * Calls `onEvent` on the main thread, from libuv's loop, while the descriptor can be read from. Ticks and promise jobs that the
   * callback queues run when it returns, as after any callback of Node's. It must not throw.
   */
  watch(fd: number, onEvent: (isWritable: boolean) => void): Watch
}

let loaded: SystemCalls | undefined

/**
 * Loads koffi at the first call: it costs 20 ms and 8 MiB, which only its users should pay.
 * @throws UnsupportedPlatform
 */
export function loadSystemCalls(): SystemCalls {
  loaded ??= load()
  return loaded
}

function load(): SystemCalls {
  if (process.platform !== 'linux') {
    throw new UnsupportedPlatform(
      'platform',
      `recvmmsg and sendmmsg are Linux's; this is ${process.platform}`,
    )
  }
  if (!['x64', 'arm64'].includes(process.arch) || endianness() !== 'LE') {
    throw new UnsupportedPlatform('platform', `known on x64 and arm64; this is ${process.arch}`)
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    // Before the first call: its default of 3 MiB for arguments is far more than numbers and pointers take.
    koffi.config({ sync_stack_size: 65_536, sync_heap_size: 65_536, resident_async_pools: 1 })
    return bindCalls(koffi)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const message = `koffi does not load: ${why.split('\n')[0]}`
    throw new UnsupportedPlatform('library', message, { cause: error })
  }
}

function bindCalls(koffi: typeof Koffi): SystemCalls {
  // The process itself: libc's functions, and libuv's, which Node exports to its add-ons.
  const library = koffi.load(null)
  const call = (definition: string): Call => {
    const unchecked = library.func(definition) as Call
    return (...args) => orErrno(koffi, unchecked(...args))
  }
  const receive = library.func('int recvmmsg(int, void *, unsigned int, int, void *)') as Call
  const send = library.func('int sendmmsg(int, void *, unsigned int, int)') as Call
  const socket = call('int socket(int, int, int)')
  const bind = call('int bind(int, void *, unsigned int)')
  const getsockname = call('int getsockname(int, void *, void *)')
  const setsockopt = call('int setsockopt(int, int, int, void *, unsigned int)')
  const getsockopt = call('int getsockopt(int, int, int, void *, void *)')
  const fcntl = call('int fcntl(int, int, int)')
  const sendmsg = call('int sendmsg(int, void *, int)')
  const madvise = call('int madvise(uintptr_t, size_t, int)')
  const recvmsg = call('int recvmsg(int, void *, int)')
  const recv = call('long recv(int, void *, size_t, int)')
  return {
    socket: (domain, type, protocol = 0) => socket(domain, type, protocol),
    bind: (fd, name) => bind(fd, name, name.length),
    getSocketName: (fd, into) => getsockname(fd, into, Uint32Array.of(into.length)),
    setOption: (fd, level, option, value) => setsockopt(fd, level, option, value, value.length),
    getIntOption(fd, level, option) {
      const value = new Int32Array(1)
      const result = getsockopt(fd, level, option, value, Uint32Array.of(4))
      return result < 0 ? result : (value[0] as number)
    },
    receiveMessages: (fd, headers, count) =>
      orErrno(koffi, receive(fd, headers, count, Linux.msgDontWait, null)),
    sendMessages: (fd, headers, count) =>
      orErrno(koffi, send(fd, headers, count, Linux.msgDontWait)),
    getOption: (fd, level, option, into) =>
      getsockopt(fd, level, option, into, Uint32Array.of(into.length)),
    listen: call('int listen(int, int)'),
    duplicate: (fd) => fcntl(fd, fcntlDupFdCloExec, 0),
    sendMessage: (fd, header) => sendmsg(fd, header, Linux.msgDontWait | Linux.msgNoSignal),
    receiveMessage: (fd, header) => recvmsg(fd, header, Linux.msgDontWait | Linux.msgCmsgCloExec),
    sendElsewhere: sender(koffi, library),
    receive: (fd, into) => recv(fd, into, into.length, Linux.msgDontWait),
    closeDescriptor: call('int close(int)'),
    ...kernelCalls(koffi, library),
    dropPages: (address, length) => madvise(address, length, Linux.madvDontNeed),
    addressOf: (memory) => koffi.address(memory),
    watch: watcher(koffi, library),
  }
}

function kernelCalls(
  koffi: typeof Koffi,
  library: Koffi.LibraryHandle,
): Pick<SystemCalls, 'bpf' | 'bootNs'> {
  // glibc has no function of its own for bpf(2). Integers are passed to a variadic function as to any other.
  const syscall = library.func('long syscall(long, int, void *, unsigned int)') as Call
  const clock = library.func('int clock_gettime(int, void *)') as Call
  const time = Buffer.alloc(16)
  const number = process.arch === 'arm64' ? bpfCall.arm64 : bpfCall.x64
  return {
    bpf: (command, attributes) =>
      orErrno(koffi, syscall(number, command, attributes, attributes.length)),
    bootNs() {
      clock(clockBootTime, time)
      return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8)
    },
  }
}

function sender(koffi: typeof Koffi, library: Koffi.LibraryHandle): SystemCalls['sendElsewhere'] {
  const send = library.func('long send(int, void *, size_t, int)')
  return (fd, data) =>
    new Promise((resolve, reject) => {
      send.async(fd, data, data.length, 0, (error: Error | null, sent: number) => {
        if (error !== null) reject(error)
        // errno belongs to the thread that made the call, so the call is repeated on this one.
        else
          resolve(sent >= 0 ? sent : orErrno(koffi, send(fd, data, data.length, Linux.msgDontWait)))
      })
    })
}

function orErrno(koffi: typeof Koffi, result: number): number {
  return result >= 0 ? result : -koffi.errno()
}

function watcher(koffi: typeof Koffi, library: Koffi.LibraryHandle): SystemCalls['watch'] {
  const defaultLoop = library.func('uintptr_t uv_default_loop()')
  const handleSize = library.func('size_t uv_handle_size(int)')
  const init = library.func('int uv_poll_init(uintptr_t, void *, int)')
  const start = library.func('int uv_poll_start(void *, int, uintptr_t)')
  const stop = library.func('int uv_poll_stop(void *)')
  const close = library.func('void uv_close(void *, uintptr_t)')
  const pollType = koffi.pointer(koffi.proto('void (void *, int, int)'))
  const closeType = koffi.pointer(koffi.proto('void (void *)'))
  /** libuv keeps pointers into these until it has closed them. */
  const open = new Set<Buffer>()
  return (fd, onEvent) => {
    const handle = Buffer.allocUnsafeSlow(Number(handleSize(uvPollHandle)))
    open.add(handle)
    check(init(defaultLoop(), handle, fd))
    const onPoll = koffi.register((_handle: bigint, status: number, events: number) => {
      // An error shows at the next read.
      onEvent(status === 0 && (events & uvWritable) !== 0)
      runQueued()
    }, pollType)
    let events = uvReadable
    const setEvents = (bit: number, wanted: boolean) => {
      events = wanted ? events | bit : events & ~bit
      check(events === 0 ? stop(handle) : start(handle, events, onPoll))
    }
    setEvents(uvReadable, true)
    return {
      setWritable: (wanted) => setEvents(uvWritable, wanted),
      setReadable: (wanted) => setEvents(uvReadable, wanted),
      async close() {
        stop(handle)
        await new Promise<void>((resolve) => {
          const onClosed = koffi.register(() => {
            // Not from within itself: the trampoline is still on the stack.
            setImmediate(() => {
              koffi.unregister(onClosed)
              resolve()
            })
          }, closeType)
          close(handle, onClosed)
        })
        koffi.unregister(onPoll)
        open.delete(handle)
      },
    }
  }
}

/** Node's own function that empties the queues of ticks and promise jobs when a callback returns. */
const { _tickCallback: emptyQueues } = process as { _tickCallback?: () => void }

/**
 * Runs queued jobs, which would otherwise wait for the next event of another kind, because koffi 3 calls back outside Node's
 * callback scope (measured: a tick ran 297 ms later, with a timer). `_tickCallback` is old, public and undocumented; it costs
 * 0.07 us a call. If a Node lacks it, an immediate does the same for 0.5 us.
 */
function runQueued(): void {
  if (emptyQueues === undefined) {
    setImmediate(() => {})
    return
  }
  try {
    emptyQueues()
  } catch (error) {
    // A queued job threw. It ends the process like any uncaught exception, but not through C's stack.
    setImmediate(() => {
      throw error
    })
  }
}

function check(status: number): void {
  if (status < 0) throw systemError('uv_poll', -status)
}
