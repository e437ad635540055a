import { path } from './path.ts'
import type { CreatedParams, Listing, ListPage, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** `amount` leaves the account `credit` and enters `debit`. Never changed. */
export interface LedgerEntry {
  readonly id: string
  readonly object: 'ledger_entry'
  readonly payment: string
  /** The refund, the dispute or the attached hold that moved the money; null: the payment itself. */
  readonly cause: string | null
  readonly debit: string
  readonly credit: string
  readonly amount: number
  readonly currency: string
  readonly created: number
}

/** The fold of all entries of an account in one currency. */
export interface LedgerBalance {
  readonly object: 'ledger_balance'
  /** `cash:<provider>`, `sales`, `refunds_due`, `disputes` or `fees:<kind>`. */
  readonly account: string
  readonly currency: string
  readonly balance: number
}

export interface LedgerEntryListParams extends ListParams, CreatedParams {
  readonly payment?: string | undefined
  readonly account?: string | undefined
}

export class Ledger {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  entries(params?: LedgerEntryListParams, options?: RequestOptions): Listing<LedgerEntry> {
    return this.#transport.list(path`ledger/entries`, { ...params }, options)
  }

  /** Every account at once. */
  balances(options?: RequestOptions): Promise<ListPage<LedgerBalance>> {
    return this.#transport.get(path`ledger/balances`, options)
  }
}
