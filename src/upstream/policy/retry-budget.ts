/**
 * Bounds the load that hedges and retries add to an upstream: a share of the recent questions plus a small burst, so that retries
 * do not overrun a struggling upstream (the whole service matters more than one question). A client spends what its own questions
 * have earned; beyond that it may owe as much as is left for others, so that a flood of silent names does not take the hedge that
 * another client's lost packet needs. Time is passed in; sends nothing.
 */

/** Unused shares fade within this time, so that an hour of calm does not pay for a minute of storm. */
const fadeMs = 10_000
/** Spare budget of a quiet group, of which one client gets half: enough to ask a search-path chain of a few pods twice. */
const burstDefault = 20
/** Accounts of clients; in balance they are dropped, and with more than this all are. */
const accountsMax = 4096
/** Less than this is nothing: such an account is dropped. */
const balanced = 0.01

/** What one client has spent beyond what its questions earned; below 0 it has some left. */
interface Account {
  debt: number
  touchedMs: number
}

export class RetryBudget {
  private readonly burst: number
  private share: number
  private earned = 0
  private spare: number
  private touchedMs = 0
  private readonly accounts = new Map<string, Account>()

  /** @param percent hedges and retries per 100 questions */
  constructor(percent: number, burst = burstDefault) {
    this.share = percent / 100
    this.burst = burst
    this.spare = burst
  }

  /** Clients that have an account. */
  get clients(): number {
    return this.accounts.size
  }

  setPercent(percent: number): void {
    this.share = percent / 100
  }

  /** A question came in: it earns its share. @param client that asked; empty for nobody in particular */
  earn(timeMs: number, client = ''): void {
    // Whole milliseconds: of all questions of a burst the first alone has to compute what fades.
    const nowMs = Math.floor(timeMs)
    this.fade(nowMs)
    this.earned += this.share
    if (client !== '') this.account(client, nowMs).debt -= this.share
  }

  /**
   * @param cost 1 for one more packet; more for a kind of retry that should stay rarer
   * @param client for which it is; empty for nobody in particular
   * @returns false when the budget does not cover it; nothing is spent then
   */
  spend(timeMs: number, cost: number, client = ''): boolean {
    const nowMs = Math.floor(timeMs)
    this.fade(nowMs)
    const left = this.earned + this.spare - cost
    if (left < 0) return false
    const account = client === '' ? undefined : this.account(client, nowMs)
    if (account !== undefined) {
      const debt = account.debt + cost
      if (debt > 0 && debt > left + 1) return false
      account.debt = debt
    }
    const fromEarned = Math.min(this.earned, cost)
    this.earned -= fromEarned
    this.spare -= cost - fromEarned
    return true
  }

  /** Refunds a retry that proved to be the only way to an answer. */
  refund(cost: number, client = ''): void {
    this.earned += cost
    const account = this.accounts.get(client)
    if (account !== undefined) account.debt -= cost
  }

  private account(client: string, nowMs: number): Account {
    const known = this.accounts.get(client)
    if (known === undefined) return this.openAccount(client, nowMs)
    const elapsedMs = nowMs - known.touchedMs
    if (elapsedMs <= 0) return known
    known.touchedMs = nowMs
    known.debt *= Math.exp(-elapsedMs / fadeMs)
    return known
  }

  private openAccount(client: string, nowMs: number): Account {
    if (this.accounts.size >= accountsMax) this.dropBalanced(nowMs)
    const account = { debt: 0, touchedMs: nowMs }
    this.accounts.set(client, account)
    return account
  }

  private dropBalanced(nowMs: number): void {
    for (const [client, { debt, touchedMs }] of this.accounts) {
      const left = Math.abs(debt) * Math.exp(-(nowMs - touchedMs) / fadeMs)
      if (left < balanced) this.accounts.delete(client)
    }
    if (this.accounts.size >= accountsMax) this.accounts.clear()
  }

  private fade(nowMs: number): void {
    const elapsedMs = nowMs - this.touchedMs
    if (elapsedMs <= 0) return
    this.touchedMs = nowMs
    const kept = Math.exp(-elapsedMs / fadeMs)
    this.earned *= kept
    this.spare = this.burst - (this.burst - this.spare) * kept
  }
}
