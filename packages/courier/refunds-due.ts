import { hash, randomBytes } from 'node:crypto'
import { autoRefundsInFlightMax, providerJobRowsPerTick } from '@penstock/domain/limits.ts'
import { mintId } from '@penstock/domain/id.ts'
import { amountLeft } from '@penstock/domain/payment.ts'
import { commit } from './commit.ts'
import { ProviderJob } from './provider-job.ts'
import type { RequestKey } from '@penstock/domain/command.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'
import type { ProviderQueries } from '@penstock/store/provider-queries.ts'
import type { ProviderJobDeps } from './provider-job.ts'

export interface RefundsDueDeps extends Pick<ProviderJobDeps<Payment>, 'retryDelaysMs' | 'clock' | 'random' | 'log'> {
  readonly queries: Pick<Queries, 'findPayment'>
  readonly providerQueries: Pick<ProviderQueries, 'listRefundDue' | 'hasRefund'>
  readonly writer: Pick<WriterClient, 'submit'>
  /** Whether refunds of this provider are made by asking it. */
  readonly canRefund: (provider: string) => boolean
}

/** Pages of a tick: a new courier goes through all that ever was due, most of which was refunded long ago. */
const pagesPerTick = 16

/**
 * Makes a refund of all that came without goods, once for each payment, ever: a seller who began to refund one by hand,
 * or whose refund was refused, goes on by hand.
 */
export class RefundsDue {
  readonly #deps: RefundsDueDeps
  readonly #job: ProviderJob<Payment>
  #seenSeq = 0

  constructor(deps: RefundsDueDeps) {
    this.#deps = deps
    this.#job = new ProviderJob({
      ...deps,
      name: 'automatic refunds',
      concurrencyMax: autoRefundsInFlightMax,
      attempt: (payment) => this.#make(payment),
    })
  }

  tick(): void {
    for (let page = 0; page < pagesPerTick && this.#readPage(); page++);
    this.#job.tick()
  }

  stop(): Promise<void> {
    return this.#job.stop()
  }

  /** Whether there may be more. */
  #readPage(): boolean {
    const { queries, providerQueries, canRefund } = this.#deps
    const rows = providerQueries.listRefundDue(this.#seenSeq, providerJobRowsPerTick)
    for (const { seq, paymentId } of rows) {
      const payment = queries.findPayment(paymentId)
      const isOurs = payment !== null && canRefund(payment.provider) && amountLeft(payment) > 0
      if (isOurs && !providerQueries.hasRefund(paymentId) && !this.#job.offer(paymentId, payment)) return false
      this.#seenSeq = seq
    }
    return rows.length === providerJobRowsPerTick
  }

  async #make({ id: paymentId }: Payment): Promise<void> {
    // Between the look and the commit somebody else may refund it: then there is nothing left, and this is refused.
    await commit(this.#deps.writer, {
      kind: 'create_refund',
      key: autoRefundKey(paymentId),
      refundId: mintId('refund', this.#deps.clock(), randomBytes(10)),
      paymentId,
      amountMinor: null,
      lines: null,
      restock: false,
      reason: 'There were no goods for this payment',
    })
  }
}

/** One for a payment, so that a courier that dies and comes again has one effect; the writer never forgets it. */
export function autoRefundKey(paymentId: string): RequestKey {
  const id = hash('sha256', `automatic refund of ${paymentId}`, 'base64url').slice(0, 22)
  return { id, fingerprint: 'automatic refund' }
}
