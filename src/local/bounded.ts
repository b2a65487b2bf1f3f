/** Bounds the TTLs of an answer made here as those of an upstream's answer under the same name: a cache in front of CoreDNS's plugins does that. */
import { boundTtls, type TtlLimits } from '../core/cache/ttl.ts'
import { Rcode } from '../wire/constants.ts'
import { ResponseScan, scanResponse } from '../wire/scan.ts'

const scan = new ResponseScan()

/** For where no zone has limits. */
export const unlimited: TtlLimits = {
  positiveMinSeconds: 0,
  positiveMaxSeconds: 2 ** 31 - 1,
  negativeMinSeconds: 0,
  negativeMaxSeconds: 2 ** 31 - 1,
}

/** @param image made here; its TTLs are changed in place. Minimums do not count: what an operator wrote is not raised */
export function boundImage(image: Buffer, limits: TtlLimits): void {
  if (!scanResponse(image, image.length, scan)) return
  const { positiveMaxSeconds, negativeMaxSeconds } = limits
  const mostly = { ...unlimited, positiveMaxSeconds, negativeMaxSeconds }
  boundTtls(image, scan, kindOf(scan), mostly)
}

function kindOf({ answers, soaIndex, rcode }: ResponseScan) {
  if (answers > 0) return 'answer'
  if (soaIndex < 0) return 'bare-denial'
  return rcode === Rcode.nxdomain ? 'nxdomain' : 'nodata'
}
