import { randomBytes } from 'node:crypto'
import { mintId } from '@penstock/domain/id.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { decide } from '@penstock/engine/decide.ts'
import { unitAmount } from './sale.ts'
import type { CapturePayment, Command, CreateHold } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'
import type { Committed } from '@penstock/store/store.ts'

/** Ids that share a millisecond, as at 40,000 a second. */
const idsPerMs = 40
const holdTtlMs = 86_400_000

/** A store that answers at once. */
interface SyncStore {
  readonly lastNowMs: number
  transact<T>(nowMs: number, decideAll: (set: WorkingSet) => T): Committed<T>
}

/** The writer's engine and a store without sockets: one drop, and commands for it. */
export class InProcessSale<Store extends SyncStore> {
  readonly store: Store
  readonly dropId: string
  readonly skuId: string
  readonly #startMs = Date.now()
  #minted = 0
  #decideMs = 0

  constructor(store: Store, { maxPerCustomer = 2 }: { readonly maxPerCustomer?: number | null } = {}) {
    this.store = store
    this.dropId = this.#mint('drop')
    this.skuId = this.#mint('sku')
    this.transact([
      {
        kind: 'create_drop',
        key: null,
        dropId: this.dropId,
        name: 'Bench',
        description: null,
        image: null,
        currency: 'usd',
        startsAtMs: 0,
        endsAtMs: null,
        holdTtlMs,
        maxPerCustomer,
        latePayment: 'reacquire',
        fees: [],
        metadata: {},
        skus: [
          { id: this.skuId, name: 'One size', unitAmountMinor: unitAmount, stock: 100_000_000, maxPerOrder: null },
        ],
      },
      { kind: 'change_drop_phase', key: null, dropId: this.dropId, action: 'publish' },
    ])
  }

  /** One batch, as the writer commits it. Throws unless every command was accepted. */
  transact(commands: readonly Command[]): readonly Result[] {
    const nowMs = Math.max(this.store.lastNowMs, Date.now())
    const { value } = this.store.transact(nowMs, (set) => {
      const startedMs = performance.now()
      const results = commands.map((command) => decide(set, command, nowMs))
      this.#decideMs += performance.now() - startedMs
      return results
    })
    const refused = value.find((result) => isRejected(result))
    if (refused !== undefined) throw new Error(`refused: ${JSON.stringify(refused)}`)
    return value
  }

  /** Time spent in decisions since the last call; what they load is part of it. */
  takeDecideMs(): number {
    const ms = this.#decideMs
    this.#decideMs = 0
    return ms
  }

  hold(): CreateHold {
    const holdId = this.#mint('hold')
    const email = `${holdId}@bench.test`
    return {
      kind: 'create_hold',
      key: null,
      holdId,
      clientSecret: `cs_${randomBytes(16).toString('hex')}`,
      dropId: this.dropId,
      lines: [{ skuId: this.skuId, quantity: 1 }],
      customer: { email, phone: null, externalId: null, name: null, shippingAddress: null },
      replace: null,
    }
  }

  payment(holdId: string): CapturePayment {
    return {
      kind: 'capture_payment',
      key: { id: randomBytes(16).toString('base64url'), fingerprint: randomBytes(16).toString('base64url') },
      paymentId: this.#mint('payment'),
      holdId,
      provider: 'manual',
      providerPaymentId: `pi_${randomBytes(12).toString('base64url')}`,
      amountMinor: unitAmount,
      currency: 'usd',
    }
  }

  #mint(kind: IdKind): string {
    return mintId(kind, this.#startMs + Math.floor(this.#minted++ / idsPerMs), randomBytes(10))
  }
}
