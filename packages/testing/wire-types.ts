import type { WireOrder as ListedOrder, WireOrderWithCodes } from '@penstock/wire/wire.ts'

/** The objects of the API as clients see them (DESIGN section 7). */
export type {
  WireApiKeyWithSecret as WireApiKey,
  WireBalance,
  WireCheckout,
  WireDispute,
  WireDrop,
  WireEvent,
  WireHold,
  WirePayment,
  WireRefund,
  WireSku,
  WireWebhookDelivery,
  WireWebhookEndpoint,
} from '@penstock/wire/wire.ts'

/** Codes: of one order, not in lists. */
export type WireOrder = ListedOrder & Partial<Pick<WireOrderWithCodes, 'codes'>>
export type WireCode = WireOrderWithCodes['codes'][number]

export interface WireList<Item> {
  readonly object: 'list'
  readonly data: readonly Item[]
  readonly has_more: boolean
  /** Where to go on, when time ran out before the page was full. */
  readonly scanned_to?: string
}

export interface WireProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly param: string | null
  readonly request_id: string
  readonly retryable: boolean
}
