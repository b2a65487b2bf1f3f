/** What may put another question in a client's place, in the order of CoreDNS's plugins: DNS64, then rewrites. */
import type { Resolver } from '../core/resolver.ts'
import type { Family } from '../observe/families/family.ts'
import { Dns64 } from './dns64/dns64.ts'
import { Rewriter } from './rewrites/rewriter.ts'
import type { LocalSettings } from './settings.ts'

export class Rewritings {
  private readonly rewriter = new Rewriter()
  private readonly dns64 = new Dns64()

  /** @param user is told who rewrites; where nobody does, a question costs nothing more */
  reconfigure({ rewrites, dns64 }: LocalSettings, user: Resolver): void {
    user.setRewriting(this.dns64.reconfigure(dns64, this.rewriter.reconfigure(rewrites)))
  }

  /** Whether a question about the name may be asked under another one. @param name folded wire form */
  concerns(name: Uint8Array, nameBytes: number): boolean {
    return this.rewriter.concerns(name, nameBytes)
  }

  families(): Family[] {
    return [...this.rewriter.families(), ...this.dns64.families()]
  }
}
