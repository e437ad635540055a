import type { RequestTemplate } from './generators/plan.ts'

/** A drop that is for sale somewhere, and who may buy: all that requests need. Penstock's, or a peer's. */
export interface SaleFacts {
  /** http://host:port */
  readonly url: string
  readonly secretKey: string
  readonly publishableKey: string
  readonly dropId: string
  readonly skuId: string
  /** Answered late, changing nothing. See RequestPlan.parking. */
  readonly parking: RequestTemplate
  /** Signs webhooks; null: the server takes none. */
  readonly webhookSecret: string | null
}

export const unitAmount = 4_999

/** A sale with numbers for its buyers: none is used twice. */
export class Sale {
  readonly facts: SaleFacts
  #numbersTaken = 0

  constructor(facts: SaleFacts) {
    this.facts = facts
  }

  get url(): string {
    return this.facts.url
  }

  /** The first of `count` numbers that no buyer had yet. */
  takeNumbers(count: number): number {
    this.#numbersTaken += count
    return this.#numbersTaken - count
  }

  /** The same drop with another SKU, or another drop. */
  with(changes: Partial<SaleFacts>): Sale {
    return new Sale({ ...this.facts, ...changes })
  }
}
