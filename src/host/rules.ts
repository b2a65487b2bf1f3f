/** The interface of both backends towards the interception, which knows neither of them. */
import type { Plan, PlannedAddress } from './plan.ts'
import type { Trouble } from './trouble.ts'

export interface Rules {
  /** Called when all rules are lost and must be installed again now. */
  onLost: (trouble: Trouble) => void
  /** Whether the node has rules that intercept once they are renewed. */
  readonly isInstalled: boolean
  /** Installs the rules that outlive the daemon: the standby of own addresses, and accepts in strict firewalls. */
  installLasting(plan: Plan): Promise<Trouble[]>
  /** Installs all rules of the plan. They intercept nothing until `renew`. @returns what could not be done */
  install(plan: Plan): Promise<Trouble[]>
  /** Intercepts exactly these addresses, for the plan's lifetime. */
  renew(live: readonly PlannedAddress[]): Promise<Trouble[]>
  /** Compares the rules on the node with the plan and repairs them. @returns differences, and repairs that failed */
  check(): Promise<Trouble[]>
  /** Changes the CoreDNS pods of the standby rules. */
  updateStandby(plan: Plan): Promise<Trouble[]>
  /**
   * Removes everything that lives with this process, which intercepts nothing then.
   * @param isFollowed a successor intercepts the same addresses: shared rules are left to it
   */
  close(isFollowed: boolean): Promise<void>
}
