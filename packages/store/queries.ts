import type { Checkout } from '@penstock/domain/checkout.ts'
import type { ProviderName } from '@penstock/domain/provider-fact.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { ApiKey, ApiKeyKind, Scope } from '@penstock/domain/api-key.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { NumberedDelivery } from './scanner.ts'

/**
 * The read side: short statements on this process's own read-only connection. Every call sees the last commit at the
 * moment it is made. Synchronous and fast; slow reads do not belong here.
 */
export interface Queries {
  /** The last commit this connection can see. */
  readSeq(): number
  /** All drops with their SKUs, and the commit they are read at, in one snapshot. Oldest first. */
  listDrops(): CatalogueSnapshot
  findHold(id: string): Hold | null
  /** The one hold with this number (domain/id-number.ts). Null: none, or, should that ever happen, two. */
  findHoldByNumber(number: number): Hold | null
  findOrder(id: string): OrderFacts | null
  findPayment(id: string): Payment | null
  /** For people; null: there is no such drop. */
  findDropName(dropId: string): string | null
  findCheckout(holdId: string, provider: ProviderName): Checkout | null
  findRefund(id: string): Refund | null
  findDispute(id: string): Dispute | null
  /** By account, then currency. There are few. */
  listBalances(): readonly Balance[]
  /** Which codes of an order were used. */
  listCodeUses(orderId: string): readonly CodeUse[]
  findApiKey(id: string): ApiKey | null
  /** As `listOrders`. Revoked and expired keys are among them. */
  listApiKeys(page: Page): readonly ApiKey[]
  /** Null: unknown or revoked. Whether it has expired is for the caller's clock. `secretHash` is the SHA-256 of the key, hexadecimal. */
  findCredential(secretHash: string): Credential | null
  findDrop(id: string): DropWithSkus | null
  findWebhookEndpoint(id: string): WebhookEndpoint | null
  /** Oldest first, without deleted ones. There are few. */
  listWebhookEndpoints(): readonly WebhookEndpoint[]
  findWebhookDelivery(id: string): NumberedDelivery | null
  /**
   * Whether a request with this id (`RequestKey`) may be remembered. False: none was committed before this call, so
   * none was acknowledged to anybody; requests older than they are kept do not count.
   */
  mayRemember(requestId: string): boolean
  /** 0 when there is none. */
  lastEventSeq(): number
  /** The number of the first event at or after `ms`; one more than the last when there is none. */
  firstEventSeqAt(ms: number): number
  close(): void
}

export interface DropWithSkus {
  readonly drop: Drop
  readonly skus: readonly Sku[]
}

export interface CatalogueSnapshot {
  readonly seq: number
  readonly drops: readonly DropWithSkus[]
}

/** Debits minus credits of one account in one currency. */
export interface Balance {
  readonly account: string
  readonly currency: Currency
  readonly balanceMinor: number
}

/** At most one of the cursors is set. `limit` counts rows. */
export interface Page {
  readonly limit: number
  readonly startingAfter: string | null
  readonly endingBefore: string | null
}

/** Who calls: what a request may do follows from it. */
export interface Credential {
  readonly id: string
  readonly kind: ApiKeyKind
  readonly scopes: readonly Scope[]
  readonly expiresMs: number | null
}
