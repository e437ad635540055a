import type { Currency } from './money.ts'

export type OrderStatus = 'paid'

export const orderStatuses: readonly OrderStatus[] = ['paid']

/** What a buyer owns. Lines and customer are those of its hold, which never change. */
export interface Order {
  readonly id: string
  readonly dropId: string
  readonly holdId: string
  readonly paymentId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly status: OrderStatus
  readonly createdMs: number
}
