import { providerJobRowsPerTick, providerPassMaxMs } from '@penstock/domain/limits.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { commit } from './commit.ts'
import { ProviderPass } from './provider-pass.ts'
import { takeFacts } from './take-facts.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { CallOptions, PaymentProvider } from '@penstock/providers/provider.ts'
import type { ProviderQueries } from '@penstock/store/provider-queries.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { ProviderPassDeps } from './provider-pass.ts'
import type { FactDeps } from './take-facts.ts'

export interface ReconcileDeps
  extends FactDeps, Pick<ProviderPassDeps<Checkout>, 'retryDelaysMs' | 'reconcileAgesMs' | 'clock' | 'random'> {
  readonly queries: Pick<Queries, 'findHold'>
  readonly providerQueries: Pick<ProviderQueries, 'listOpenCheckouts'>
}

/**
 * Asks one provider about the payments opened there that are not closed, so that a webhook that never came is made up
 * for, and ends those that can still be paid although their hold has ended. Each is asked about when it comes of age,
 * counted from its making and from its deadline.
 */
export class Reconciler {
  readonly #deps: ReconcileDeps
  readonly #provider: PaymentProvider
  readonly #pass: ProviderPass<Checkout>

  constructor(provider: PaymentProvider, deps: ReconcileDeps) {
    this.#deps = deps
    this.#provider = provider
    const { providerQueries, reconcileAgesMs, clock } = deps
    const firstMs = reconcileAgesMs[0] ?? providerPassMaxMs
    this.#pass = new ProviderPass({
      ...deps,
      name: `reconciliation with ${provider.name}`,
      read: (after) =>
        providerQueries.listOpenCheckouts(provider.name, after, clock() - firstMs, providerJobRowsPerTick),
      placeOf: ({ createdMs, holdId }) => ({ createdMs, id: holdId }),
      basesOf: ({ createdMs, expiresMs }) => [createdMs, expiresMs],
      passMaxMs: providerPassMaxMs,
      attempt: (checkout, call) => this.#ask(checkout, call),
    })
  }

  tick(): void {
    this.#pass.tick()
  }

  stop(): Promise<void> {
    return this.#pass.stop()
  }

  async #ask(checkout: Checkout, call: CallOptions): Promise<void> {
    const { clock, queries } = this.#deps
    const status = await this.#find(checkout, call)
    if (status === 'paid' || status === 'cancelled') return this.#close(checkout)
    const hold = queries.findHold(checkout.holdId)
    // The buyer may still pay. Nothing is released because a provider does not know a payment: it may be its mistake.
    if (hold !== null && holdStatusAt(hold, clock()) === 'active') return
    if (status === 'unknown') return this.#close(checkout)
    const outcome = await this.#provider.cancelPayment(checkout.providerPaymentId, call)
    if (outcome !== 'already_paid') return this.#close(checkout)
    // Paid since: the next time it is known to be, at the latest.
    if ((await this.#find(checkout, call)) === 'paid') await this.#close(checkout)
  }

  /** How the payment stands, once the books say so, too. */
  async #find({ providerPaymentId }: Checkout, call: CallOptions): Promise<'open' | 'paid' | 'cancelled' | 'unknown'> {
    const { status, facts } = await this.#provider.findPayment(providerPaymentId, call)
    await takeFacts(this.#provider.name, facts, this.#deps)
    return status
  }

  /** After the facts: a hold that was paid for must not be given up first. */
  async #close({ holdId, provider, providerPaymentId }: Checkout): Promise<void> {
    await commit(this.#deps.writer, { kind: 'close_checkout', key: null, holdId, provider, providerPaymentId })
  }
}
