/**
 * The signals that a serving process listens to beside those of its end. A signal without a listener ends a process, and SIGUSR1 opens
 * Node's debugger, which asks for no password, unless it has a listener: so these have one from the first moment of our code, in every
 * kind of process. `--disable-sigusr1` would cover Node's own start as well, but no listener hears SIGUSR1 then (docs/decisions/0040).
 */

/** CoreDNS reloads on SIGUSR1. */
export const reloadSignals = ['SIGHUP', 'SIGUSR1'] as const
/** SIGQUIT ends CoreDNS in order, too. */
export const endSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const
export const stateSignal = 'SIGUSR2'

/** A worker has these listeners alone: a reload, or a signal to the whole process group, is for its supervisor. */
export function survive(): void {
  for (const signal of [...reloadSignals, stateSignal]) process.on(signal, ignore)
}

function ignore(): void {}
