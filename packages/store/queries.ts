import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Order } from '@penstock/domain/order.ts'

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
  findOrder(id: string): OrderWithHold | null
  /** `secretHash` is the SHA-256 of the key, hexadecimal. */
  findCredential(secretHash: string): Credential | null
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

/** An order with the hold its lines and customer come from. */
export interface OrderWithHold {
  readonly order: Order
  readonly hold: Hold
}

/** At most one of the cursors is set. `limit` counts rows. */
export interface Page {
  readonly limit: number
  readonly startingAfter: string | null
  readonly endingBefore: string | null
}

/** `secret` keys are the seller's; `publishable` keys live in browsers. */
export interface Credential {
  readonly id: string
  readonly kind: 'secret' | 'publishable'
}
