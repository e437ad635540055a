import type { Currency } from './money.ts'

/** pending: the provider was asked, or will be. succeeded and failed are final; a failed one has given all back. */
export const refundStatuses = ['pending', 'succeeded', 'failed'] as const

export type RefundStatus = (typeof refundStatuses)[number]

export interface RefundLine {
  readonly skuId: string
  readonly quantity: number
}

/** Money that goes back. Of a captured payment it may name units; of other money there are none. */
export interface Refund {
  readonly id: string
  readonly paymentId: string
  readonly orderId: string | null
  readonly amountMinor: number
  readonly currency: Currency
  /** Units this refund counts as refunded, one line a SKU. */
  readonly lines: readonly RefundLine[]
  /** Whether those units go back on sale when the refund succeeds. */
  readonly restock: boolean
  readonly reason: string | null
  readonly createdMs: number
  readonly status: RefundStatus
  /** Null while pending. */
  readonly settledMs: number | null
}

/** How much of one SKU of an order was refunded. There is no row before the first refund that names the SKU. */
export interface LineRefund {
  readonly orderId: string
  readonly skuId: string
  readonly paidQuantity: number
  /** By refunds that are pending or succeeded; at most `paidQuantity`. */
  readonly refundedQuantity: number
  /** Back on sale; at most `refundedQuantity`. */
  readonly restockedQuantity: number
}

/** The key of a `LineRefund`. */
export function lineRefundKey(orderId: string, skuId: string): string {
  return `${orderId} ${skuId}`
}

/** The provider whose money a seller moves by hand: its refunds succeed at once. */
export const manualProvider = 'manual'

/**
 * The reason of a refund that was made at the provider, and not by us: nobody must ask the provider for it. A seller who
 * writes the very same has to make that refund there, too.
 */
export function madeAtReason(provider: string): string {
  return `Made at ${provider}`
}
