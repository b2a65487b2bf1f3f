/** What both backends do for the interception; it knows neither of them. */
import type { Plan, PlannedAddress } from './plan.ts'
import type { Trouble } from './trouble.ts'

export interface Rules {
  /** Called when the rules are gone at once, and must be installed again now. */
  onLost: (trouble: Trouble) => void
  /** Whether that is on the node which intercepts once it is renewed. */
  readonly isInstalled: boolean
  /** Puts on the node what stays there without us: the way for own addresses, and what a strict firewall must let through. */
  installLasting(plan: Plan): Promise<Trouble[]>
  /** Puts all of the plan's rules on the node. They intercept nothing until `renew`. @returns what could not be done */
  install(plan: Plan): Promise<Trouble[]>
  /** From now on, and for the plan's lifetime, exactly these addresses are intercepted. */
  renew(live: readonly PlannedAddress[]): Promise<Trouble[]>
  /** Compares what is there with the plan and puts it right. @returns what was not right, or could not be put right */
  check(): Promise<Trouble[]>
  /** Takes in new CoreDNS pods. */
  updateStandby(plan: Plan): Promise<Trouble[]>
  /**
   * Lets go of everything that lives with this process, so that it intercepts nothing.
   * @param isFollowed another process intercepts the same addresses: what both share is left to it
   */
  close(isFollowed: boolean): Promise<void>
}
