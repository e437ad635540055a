import { createHmac, timingSafeEqual } from 'node:crypto'
import { codeStatus, formatCode, parseCode, skuOfUnits } from '@penstock/domain/code.ts'
import { encodeBase32 } from '@penstock/domain/id.ts'
import { toSeconds } from '@penstock/wire/wire.ts'
import type { CodeParts, CodeUse } from '@penstock/domain/code.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Queries } from '@penstock/store/queries.ts'

/** The last part of a code: 80 bits of an HMAC-SHA-256 that needs the client secret of the hold. */
function codeMac(orderId: string, unit: number, clientSecret: string): string {
  return encodeBase32(createHmac('sha256', clientSecret).update(`${orderId} ${unit}`).digest())
}

/** The order a code belongs to and its unit; null when there is no such order or the mac is not right: nobody learns which. */
export function findCode(
  text: string,
  queries: Pick<Queries, 'findOrder'>,
): (OrderFacts & Pick<CodeParts, 'unit'>) | null {
  const parts = parseCode(text)
  const found = parts && queries.findOrder(parts.orderId)
  if (parts === null || found === null) return null
  const mac = codeMac(parts.orderId, parts.unit, found.hold.clientSecret)
  // Both are 16 characters: the pattern of a code says so.
  if (!timingSafeEqual(Buffer.from(mac), Buffer.from(parts.mac))) return null
  return { ...found, unit: parts.unit }
}

/** The codes of an order as the API shows them, in the order of its units. */
export function wireCodes({ order, hold, lineRefunds }: OrderFacts, uses: readonly CodeUse[]) {
  const usedAt = new Map(uses.map(({ unit, usedMs }) => [unit, usedMs]))
  const usedMs = (unit: number): number | null => usedAt.get(unit) ?? null
  const skus = skuOfUnits(hold.lines)
  const refunded = new Map(lineRefunds.map((line) => [line.skuId, line.refundedQuantity]))
  const facts = { skus, refunded, usedMs }
  return skus.map((sku, unit) => {
    const mac = codeMac(order.id, unit, hold.clientSecret)
    const used = usedMs(unit)
    return {
      code: formatCode({ orderId: order.id, unit, mac }),
      sku,
      status: codeStatus(facts, unit),
      used_at: used === null ? null : toSeconds(used),
    }
  })
}
