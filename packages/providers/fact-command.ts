import { hash } from 'node:crypto'
import { mintId } from '@penstock/domain/id.ts'
import type { CapturePayment, CloseCheckout, RequestKey, TakeFact } from '@penstock/domain/command.ts'
import type { LaterFact, ProviderFact, ProviderName } from '@penstock/domain/provider-fact.ts'

/** Makes ids of payments. */
export interface FactMint {
  id(kind: 'payment'): string
}

/**
 * What the writer is to do about a fact, or null: nothing. `key`: of the event that brought it; null where it was asked
 * for, since each of these commands is harmless to repeat.
 */
export function factCommand(
  provider: ProviderName,
  fact: ProviderFact,
  key: RequestKey | null,
  mint: FactMint,
): CapturePayment | TakeFact | CloseCheckout | null {
  switch (fact.kind) {
    case 'payment_captured':
      return {
        kind: 'capture_payment',
        key,
        paymentId: mint.id('payment'),
        holdId: fact.holdId,
        provider,
        providerPaymentId: fact.providerPaymentId,
        amountMinor: fact.amountMinor,
        currency: fact.currency,
      }
    case 'payment_cancelled':
      return {
        kind: 'close_checkout',
        key,
        holdId: fact.holdId,
        provider,
        providerPaymentId: fact.providerPaymentId,
      }
    case 'refund_updated':
    case 'dispute_opened':
    case 'dispute_closed':
      return { kind: 'take_fact', key, provider, fact, objectId: objectId(provider, fact) }
    case 'payment_failed':
    case 'ignored':
      return null
  }
}

/** The key of a webhook's event, so that it has its effect once: the provider's word for what it is, and no other. */
export function eventKey(provider: ProviderName, eventId: string): RequestKey {
  return { id: hash('sha256', `webhook/${provider}/${eventId}`, 'base64url').slice(0, 22), fingerprint: 'webhook' }
}

/** The same for every report of one refund or dispute, so that they meet in one row without a table of ids. */
function objectId(provider: ProviderName, fact: LaterFact): string {
  const isRefund = fact.kind === 'refund_updated'
  const id = isRefund ? fact.providerRefundId : fact.providerDisputeId
  const bytes = hash('sha256', `${provider}/${id}`, 'buffer')
  return mintId(isRefund ? 'refund' : 'dispute', fact.createdMs, bytes)
}
