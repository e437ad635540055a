import type { ProviderFact, ProviderName } from '@penstock/domain/provider-fact.ts'
import type { Currency } from '@penstock/domain/money.ts'

/**
 * A payment provider: it takes a buyer's money, gives it back, and reports both by webhook. The calls that go out are
 * made by the HTTP processes and the courier, never by the writer and never inside a transaction. Each is bounded by
 * `CallOptions`, safe to repeat, and rejects with `ProviderError`, nothing else.
 */
export interface PaymentProvider {
  /** Part of `POST /v1/webhooks/{name}`, of `payment.provider` and of the account `cash:{name}`. */
  readonly name: ProviderName

  /** Names, in lower case, of the headers that `translateWebhook` wants. */
  readonly webhookHeaders: readonly string[]

  /** False: nobody can be asked to give money back, the seller does it by hand; `refund` is not to be called. */
  readonly canRefund: boolean

  /** A payment the buyer can make for a hold. The same `idempotencyKey` again: the same payment. */
  createPayment(request: ProviderPaymentRequest, call: CallOptions): Promise<ProviderPayment>

  /** Ends a payment nobody made. `already_paid` is no error: the money is there, and a webhook says or said so. */
  cancelPayment(providerPaymentId: string, call: CallOptions): Promise<CancelOutcome>

  /** What the provider knows about a payment now, for those whose webhook never came. */
  findPayment(providerPaymentId: string, call: CallOptions): Promise<ProviderPaymentState>

  /** Gives money back. The same `idempotencyKey` again: the same refund. */
  refund(request: ProviderRefundRequest, call: CallOptions): Promise<ProviderRefundOutcome>

  /**
   * Checks the signature over the bytes as they came, then the time, and only then reads them. Pure, synchronous and
   * never throws. `headers` has lower-case names. A verdict `ok` may have the fact `ignored`: answer it with 2xx.
   */
  translateWebhook(rawBody: Buffer, headers: Readonly<Record<string, string>>, nowMs: number): WebhookVerdict
}

/** The bounds of one call, all its attempts and waits included. */
export interface CallOptions {
  /** From now; past it the call rejects with `timeout`. */
  readonly deadlineMs: number
  /** Aborts the call, which then rejects with `timeout`. */
  readonly signal?: AbortSignal
}

export interface ProviderPaymentRequest {
  /** The provider keeps it as `penstock_hold`, so that its webhooks name it. */
  readonly holdId: string
  /** In minor units. */
  readonly amountMinor: number
  readonly currency: Currency
  /** One line for the buyer's statement or page. */
  readonly description: string
  /** Null where the hold has none. */
  readonly email: string | null
  /** Where the buyer goes afterwards; null: nowhere. */
  readonly returnUrl: string | null
  /** The hold's deadline. Providers with a shortest life of their own may live longer: late money has its rule. */
  readonly expiresMs: number
  /** The hold's secret, for a page the provider serves itself; others must not send it out. */
  readonly holdSecret: string
  /** `idempotencyKey(holdId, 'payment')`. */
  readonly idempotencyKey: string
}

/** What `POST /v1/holds/{id}/checkout` answers. One of `url` and `clientSecret` at least is there. */
export interface ProviderPayment {
  readonly providerPaymentId: string
  /** The page to send the buyer to. */
  readonly url: string | null
  /** For the provider's own library in the buyer's browser. */
  readonly clientSecret: string | null
  readonly expiresMs: number
}

export type CancelOutcome = 'cancelled' | 'already_paid' | 'already_cancelled'

/** Facts as a webhook would have told them; empty while nothing happened. */
export interface ProviderPaymentState {
  /** `unknown`: the provider has no such payment. */
  readonly status: 'open' | 'paid' | 'cancelled' | 'unknown'
  /** To be handed to the engine like those of webhooks: the capture first, then refunds. */
  readonly facts: readonly ProviderFact[]
}

export interface ProviderRefundRequest {
  readonly providerPaymentId: string
  /** Of our refund. The provider keeps it as `penstock_refund`. */
  readonly refundId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly reason: string | null
  /** `idempotencyKey(refundId, 'refund')`. */
  readonly idempotencyKey: string
}

export interface ProviderRefundOutcome {
  /** Null where the provider has no id for it, or refused. */
  readonly providerRefundId: string | null
  /** `pending`: a webhook settles it. `failed`: refused for good; the money is still there. */
  readonly status: 'pending' | 'succeeded' | 'failed'
  /** Of a failure, for the seller; no secrets. */
  readonly detail: string | null
}

export type WebhookVerdict =
  | {
      readonly ok: false
      /**
       * bad_signature: no secret of ours made it, or there is none. stale, future: more than 300 s from `nowMs`.
       * malformed: signed, but not what this provider sends.
       */
      readonly reason: 'bad_signature' | 'stale' | 'future' | 'malformed'
      /** One sentence for people; repeats nothing secret. */
      readonly detail: string
    }
  | {
      readonly ok: true
      /** The provider's id of the event, the same on every repetition. */
      readonly eventId: string
      readonly fact: ProviderFact
    }

/** Why a call to a provider did not do what it should. `retryable`: the same call, same key, may succeed later. */
export class ProviderError extends Error {
  readonly code: 'timeout' | 'unreachable' | 'refused' | 'rate_limited' | 'misconfigured'
  readonly retryable: boolean
  constructor(code: ProviderError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProviderError'
    this.code = code
    this.retryable = code !== 'refused' && code !== 'misconfigured'
  }
}

/** The key a call is known by at the provider: the same object and purpose always have the same. At most 255 characters. */
export function idempotencyKey(objectId: string, purpose: 'payment' | 'refund' | 'cancel'): string {
  return `penstock-${purpose}-${objectId}`
}
