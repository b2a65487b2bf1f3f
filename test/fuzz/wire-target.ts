/** What the wire parsers must keep to for any octets at all. Every violation throws; used by the test and by long runs. */
import { Question, readQuestion, Verdict } from '../../src/wire/question.ts'
import { ResponseScan, scanResponse } from '../../src/wire/scan.ts'
import type { PoisonedPair } from './poisoned.ts'

const verdictNames = Object.keys(Verdict)

/** The name that a fixture's `# expect:` line uses. */
export function verdictName(verdict: Verdict): string {
  return verdictNames[verdict] ?? 'unknown'
}

/** Reads one packet as a query and as a response and checks what came out. */
export class WireTarget {
  private readonly questions = [new Question(), new Question()] as const
  private readonly scans = [new ResponseScan(), new ResponseScan()] as const

  check(pair: PoisonedPair, packetBytes: number): void {
    this.checkQuestion(pair, packetBytes)
    this.checkScan(pair, packetBytes)
  }

  private checkQuestion(pair: PoisonedPair, packetBytes: number): void {
    const [question, other] = this.questions
    const verdict = readQuestion(pair.first, packetBytes, question)
    const otherVerdict = readQuestion(pair.second, packetBytes, other)
    must(verdict === otherVerdict, 'the verdict depends on octets behind the packet')
    if (verdict === Verdict.dropShort) {
      must(packetBytes < 12, 'a whole header is called too short')
      return
    }
    const isResponse = (pair.first.readUInt8(2) & 0x80) !== 0
    must(isResponse === (verdict === Verdict.dropResponse), 'QR=1 and only that is a response')
    must(question.id === pair.first.readUInt16BE(0), 'the ID is another one')
    must(question.questionEnd <= packetBytes, 'the question ends behind the packet')
    if (verdict === Verdict.ask) {
      must(question.qnameEnd > 12 && question.qnameEnd - 12 <= 255, 'the qname has no legal length')
      must(question.questionEnd === question.qnameEnd + 4, 'the question has no type and class')
      must(question.qclass === 1, 'another class than IN is asked')
    }
    // What `dropResponse` leaves in the object is nobody's business.
    if (verdict !== Verdict.dropResponse) mustBeSame(question, other)
  }

  private checkScan(pair: PoisonedPair, packetBytes: number): void {
    const [scan, other] = this.scans
    const isSound = scanResponse(pair.first, packetBytes, scan)
    must(
      isSound === scanResponse(pair.second, packetBytes, other),
      'soundness depends on octets behind the packet',
    )
    if (!isSound) return
    must(
      scan.end <= packetBytes && scan.questionEnd <= scan.end,
      'the records end behind the packet',
    )
    let at = scan.questionEnd
    for (let index = 0; index < scan.records; index++) {
      const ownerAt = scan.ownerAt[index] ?? -1
      const typeAt = scan.typeAt[index] ?? -1
      must(ownerAt === at && typeAt > ownerAt, 'a record does not begin where the one before ends')
      must(
        ownerAt === other.ownerAt[index] && typeAt === other.typeAt[index],
        'offsets depend on octets behind the packet',
      )
      at = typeAt + 10 + pair.first.readUInt16BE(typeAt + 8)
    }
    must(at === scan.end, 'the records do not end where the scan does')
    must(
      scan.soaTtlSeconds >= 0 && scan.soaTtlSeconds <= 0x7fff_ffff,
      'the SOA TTL is out of range',
    )
    mustBeSame(
      { ...scan, ownerAt: 0, typeAt: 0, nameBudget: 0 },
      { ...other, ownerAt: 0, typeAt: 0, nameBudget: 0 },
    )
  }
}

export function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

/** Compares plain fields. */
function mustBeSame<T extends object>(a: T, b: T): void {
  for (const key of Object.keys(a) as (keyof T)[]) {
    must(a[key] === b[key], `${String(key)} depends on octets behind the packet`)
  }
}
