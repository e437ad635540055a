import { providerJobRowsPerTick, refundLookAgeMs, refundPassMs } from '@penstock/domain/limits.ts'
import { madeAtReason } from '@penstock/domain/refund.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { idempotencyKey, ProviderError } from '@penstock/providers/provider.ts'
import { commit } from './commit.ts'
import { ProviderPass } from './provider-pass.ts'
import { takeFacts } from './take-facts.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { CallOptions, PaymentProvider } from '@penstock/providers/provider.ts'
import type { ProviderQueries } from '@penstock/store/provider-queries.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { ProviderPassDeps } from './provider-pass.ts'
import type { FactDeps } from './take-facts.ts'

export interface ProviderRefundsDeps
  extends FactDeps, Pick<ProviderPassDeps<Refund>, 'retryDelaysMs' | 'reconcileAgesMs' | 'clock' | 'random'> {
  readonly queries: Pick<Queries, 'findPayment' | 'findRefund'>
  readonly providerQueries: Pick<ProviderQueries, 'listPendingRefunds'>
}

/**
 * Has one provider carry out the refunds that are pending there, whoever made them. The provider's idempotency key makes
 * it one refund however often it is asked for; once that may be forgotten, the provider is asked whether it has it.
 */
export class ProviderRefunds {
  readonly #deps: ProviderRefundsDeps
  readonly #provider: PaymentProvider
  readonly #pass: ProviderPass<Refund>

  constructor(provider: PaymentProvider, deps: ProviderRefundsDeps) {
    this.#deps = deps
    this.#provider = provider
    const { queries, providerQueries } = deps
    this.#pass = new ProviderPass({
      ...deps,
      name: `refunds at ${provider.name}`,
      read: (after) => providerQueries.listPendingRefunds(after, providerJobRowsPerTick),
      placeOf: ({ createdMs, id }) => ({ createdMs, id }),
      basesOf: ({ createdMs }) => [createdMs],
      passMaxMs: refundPassMs,
      isWanted: ({ paymentId }) => queries.findPayment(paymentId)?.provider === provider.name,
      attempt: (refund, call) => this.#carryOut(refund, call),
    })
  }

  tick(): void {
    this.#pass.tick()
  }

  stop(): Promise<void> {
    return this.#pass.stop()
  }

  async #carryOut({ id, paymentId }: Refund, call: CallOptions): Promise<void> {
    const { queries, clock, reconcileAgesMs } = this.#deps
    const refund = queries.findRefund(id)
    const payment = queries.findPayment(paymentId)
    // Settled meanwhile, by a webhook or by the seller.
    if (refund === null || payment === null || refund.status !== 'pending') return
    const lookAgeMs = Math.min(refundLookAgeMs, reconcileAgesMs[0] ?? refundLookAgeMs)
    const isOld = clock() - refund.createdMs >= lookAgeMs
    const isTheirs = refund.reason === madeAtReason(payment.provider)
    if ((isOld || isTheirs) && (await this.#isThere(refund, payment, call))) return
    if (isTheirs) return
    const { status, detail } = await this.#provider.refund(
      {
        providerPaymentId: payment.providerPaymentId,
        refundId: id,
        amountMinor: refund.amountMinor,
        currency: refund.currency,
        reason: refund.reason,
        idempotencyKey: idempotencyKey(id, 'refund'),
      },
      call,
    )
    // A webhook settles it, or the next look.
    if (status === 'pending') return
    // Refused, because it was made before and the answer was lost? Then it did not fail.
    if (status === 'failed' && (await this.#isThere(refund, payment, call))) return
    await this.#settle(refund, status, detail)
  }

  /** Whether the provider has this refund; the books then follow it, and all else it says of the payment's money. */
  async #isThere(refund: Refund, { providerPaymentId }: Payment, call: CallOptions): Promise<boolean> {
    const { name } = this.#provider
    const facts = await this.#findFacts(providerPaymentId, call)
    await takeFacts(
      name,
      facts.filter(({ kind }) => kind !== 'payment_captured'),
      this.#deps,
    )
    return facts.some((fact) => fact.kind === 'refund_updated' && fact.refundId === refund.id)
  }

  async #findFacts(
    providerPaymentId: string,
    call: CallOptions,
  ): Promise<Awaited<ReturnType<PaymentProvider['findPayment']>>['facts']> {
    try {
      return (await this.#provider.findPayment(providerPaymentId, call)).facts
    } catch (error) {
      if (error instanceof ProviderError && error.code === 'refused') return []
      throw error
    }
  }

  async #settle(refund: Refund, status: 'succeeded' | 'failed', detail: string | null): Promise<void> {
    const { writer, log } = this.#deps
    const { id: refundId, amountMinor, currency } = refund
    const what = `refund ${refundId} of ${amountMinor} ${currency} at ${this.#provider.name}`
    if (status === 'failed') log(`${what} was refused for good: ${detail ?? 'it does not say why'}`)
    const result = await commit(writer, { kind: 'settle_refund', key: null, refundId, status })
    if (isRejected(result)) log(`${what} has ${status}, and was settled otherwise meanwhile: look at both`)
  }
}
