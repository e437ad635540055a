/** The objects of the API as clients see them (DESIGN section 7). */

export interface WireSku {
  readonly id: string
  readonly object: 'sku'
  readonly name: string
  readonly unit_amount: number
  readonly max_per_order: number | null
  readonly stock: number
  readonly held: number
  readonly sold: number
  readonly available: number
}

export interface WireFeeRule {
  readonly name: string
  readonly kind: string
  readonly amount?: number
  readonly basis_points?: number
}

export interface WireFee {
  readonly name: string
  readonly kind: string
  readonly amount: number
}

export interface WireDrop {
  readonly id: string
  readonly object: 'drop'
  readonly status: string
  readonly name: string
  readonly description: string | null
  readonly image: string | null
  readonly currency: string
  readonly starts_at: number
  readonly ends_at: number | null
  readonly hold_ttl: number
  readonly max_per_customer: number | null
  readonly late_payment: string
  readonly fees: readonly WireFeeRule[]
  readonly metadata: Readonly<Record<string, string>>
  readonly created: number
  readonly server_time: number
  readonly skus: readonly WireSku[]
}

export interface WireLine {
  readonly sku: string
  readonly quantity: number
  readonly unit_amount: number
}

export interface WireHold {
  readonly id: string
  readonly object: 'hold'
  readonly status: string
  readonly drop: string
  readonly lines: readonly WireLine[]
  readonly fees: readonly WireFee[]
  readonly amount: number
  readonly currency: string
  /** Null once it was erased. */
  readonly customer: Readonly<Record<string, unknown>> | null
  readonly client_secret: string
  readonly created: number
  readonly expires_at: number
}

export interface WirePayment {
  readonly id: string
  readonly object: 'payment'
  readonly status: string
  readonly reason: string | null
  readonly hold: string
  readonly order: string | null
  readonly provider: string
  readonly provider_payment_id: string
  readonly amount: number
  readonly amount_refunded: number
  readonly amount_disputed: number
  readonly currency: string
  readonly created: number
}

export interface WireOrder {
  readonly id: string
  readonly object: 'order'
  readonly status: string
  readonly drop: string
  readonly hold: string
  readonly payment: string
  readonly lines: readonly (WireLine & { readonly quantity_refunded: number })[]
  readonly fees: readonly WireFee[]
  readonly amount: number
  readonly amount_refunded: number
  readonly currency: string
  /** Null once it was erased. */
  readonly customer: Readonly<Record<string, unknown>> | null
  /** Of one order, not in lists. */
  readonly codes?: readonly WireCode[]
  readonly created: number
  readonly cancelled_at: number | null
  readonly fulfilled_at: number | null
}

export interface WireRefund {
  readonly id: string
  readonly object: 'refund'
  readonly status: string
  readonly payment: string
  readonly order: string | null
  readonly amount: number
  readonly currency: string
  readonly reason: string | null
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly restock: boolean
  readonly created: number
  readonly settled_at: number | null
}

export interface WireDispute {
  readonly id: string
  readonly object: 'dispute'
  readonly status: string
  readonly payment: string
  readonly provider_dispute_id: string
  readonly amount: number
  readonly currency: string
  readonly reason: string | null
  readonly created: number
  readonly closed_at: number | null
}

export interface WireEvent {
  readonly id: string
  readonly object: 'event'
  readonly seq: number
  readonly type: string
  readonly object_id: string
  readonly created: number
}

export interface WireBalance {
  readonly object: 'ledger_balance'
  readonly account: string
  readonly currency: string
  readonly balance: number
}

export interface WireCode {
  readonly code: string
  readonly sku: string
  readonly status: string
  readonly used_at: number | null
}

export interface WireApiKey {
  readonly id: string
  readonly object: 'api_key'
  readonly kind: string
  readonly name: string | null
  readonly scopes: readonly string[]
  readonly hint: string
  /** Only in the answer that made the key. */
  readonly secret?: string
  readonly created: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly last_used_at: number | null
}

export interface WireWebhookEndpoint {
  readonly id: string
  readonly object: 'webhook_endpoint'
  readonly status: string
  readonly disabled_reason: string | null
  readonly url: string
  readonly events: readonly string[]
  readonly description: string | null
  readonly failing_since: number | null
  readonly replay: { readonly next: string; readonly to: string } | null
  readonly created: number
}

export interface WireWebhookDelivery {
  readonly id: string
  readonly object: 'webhook_delivery'
  readonly status: string
  readonly endpoint: string
  readonly event: string
  readonly type: string
  readonly webhook_id: string
  readonly failures: number
  readonly next_attempt_at: number | null
  readonly attempts: readonly {
    readonly created: number
    readonly duration_ms: number
    readonly status: number | null
    readonly fault: string | null
  }[]
  readonly created: number
}

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
