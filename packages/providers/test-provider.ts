import { createHmac } from 'node:crypto'
import { appendFileSync, closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { idTimeMs, isId } from '@penstock/domain/id.ts'
import { equalTexts } from './equal-texts.ts'
import { MalformedWebhook, parseBody } from './read-fields.ts'
import { readTestEvent } from './test-event.ts'
import { refuseSignature, signBody } from './webhook-signature.ts'
import type { ProviderFact } from '@penstock/domain/provider-fact.ts'
import type {
  CancelOutcome,
  PaymentProvider,
  ProviderPayment,
  ProviderPaymentRequest,
  ProviderPaymentState,
  ProviderRefundOutcome,
  ProviderRefundRequest,
  WebhookVerdict,
} from './provider.ts'
import type { TestEvent } from './test-event.ts'

export interface TestProviderDeps {
  /** Signs webhooks and the addresses of its page. The same in every process of a box. */
  readonly secret: string
  /** What happened to its payments, a line of JSON each: its books, which every process reads. */
  readonly bookPath: string
  /** `http://127.0.0.1:8080`: where its page is. Asked when a payment is made. */
  readonly baseUrl: () => string
}

const prefix = 'tpay_'

/** The header its webhooks are signed in, as Stripe's are. */
export const testSignatureHeader = 'penstock-test-signature'

/**
 * A provider without an account, for trying things out: `PENSTOCK_MODE=test` only. Its payment page is served by the HTTP
 * process, its webhooks come over HTTP and are signed like real ones.
 */
export class TestProvider implements PaymentProvider {
  readonly name = 'test'
  readonly webhookHeaders = [testSignatureHeader]
  readonly canRefund = true
  readonly #deps: TestProviderDeps
  /** The books as far as they were read, by payment. */
  readonly #read = new Map<string, TestEvent[]>()
  #readBytes = 0

  constructor(deps: TestProviderDeps) {
    this.#deps = deps
  }

  createPayment({ holdId, returnUrl, expiresMs }: ProviderPaymentRequest): Promise<ProviderPayment> {
    const providerPaymentId = prefix + holdId
    const query = new URLSearchParams({ token: this.pageToken(providerPaymentId, returnUrl ?? '') })
    if (returnUrl !== null) query.set('return_url', returnUrl)
    const url = `${this.#deps.baseUrl()}/pay/test/${providerPaymentId}?${query.toString()}`
    return Promise.resolve({ providerPaymentId, url, clientSecret: null, expiresMs })
  }

  cancelPayment(providerPaymentId: string): Promise<CancelOutcome> {
    const { status } = this.#stateOf(providerPaymentId)
    if (status === 'paid') return Promise.resolve('already_paid')
    if (status === 'cancelled') return Promise.resolve('already_cancelled')
    const data = { payment: providerPaymentId, hold: testHoldId(providerPaymentId) ?? providerPaymentId }
    this.record([{ id: `tevt_cancelled_${providerPaymentId}`, type: 'payment.cancelled', created: 0, data }])
    return Promise.resolve('cancelled')
  }

  findPayment(providerPaymentId: string): Promise<ProviderPaymentState> {
    return Promise.resolve(this.#stateOf(providerPaymentId))
  }

  /** Always succeeds, at once: it also gives back money it never took, which a seller reported by hand. */
  refund(request: ProviderRefundRequest): Promise<ProviderRefundOutcome> {
    const { providerPaymentId: payment, refundId, amountMinor: amount, currency, idempotencyKey } = request
    const id = `tevt_refunded_${idempotencyKey}`
    const created = isId('refund', refundId) ? Math.floor(idTimeMs(refundId) / 1_000) : 0
    const refund = `tre_${refundId}`
    const data = { payment, refund, penstock_refund: refundId, amount, currency, status: 'succeeded', created }
    if (!this.#eventsOf(payment).some((event) => event.id === id)) {
      this.record([{ id, type: 'refund.updated', created, data }])
    }
    return Promise.resolve({ providerRefundId: refund, status: 'succeeded', detail: null })
  }

  translateWebhook(rawBody: Buffer, headers: Readonly<Record<string, string>>, nowMs: number): WebhookVerdict {
    const refusal = refuseSignature(rawBody, headers[testSignatureHeader] ?? '', [this.#deps.secret], nowMs)
    if (refusal !== null) return refusal
    try {
      return { ok: true, ...readTestEvent(parseBody(rawBody)) }
    } catch (error) {
      if (error instanceof MalformedWebhook) return { ok: false, reason: 'malformed', detail: error.message }
      throw error
    }
  }

  /** The header for a webhook with this body. */
  sign(body: string, nowMs: number): string {
    return signBody(body, this.#deps.secret, nowMs)
  }

  /** Writes what happened into the books, before any webhook tells of it. */
  record(events: readonly TestEvent[]): void {
    appendFileSync(this.#deps.bookPath, events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 })
  }

  /** Proves that we made the address of a payment page, with its return address. */
  pageToken(providerPaymentId: string, returnUrl: string): string {
    return createHmac('sha256', this.#deps.secret)
      .update(JSON.stringify(['page', providerPaymentId, returnUrl]))
      .digest('base64url')
  }

  isPageToken(token: string, providerPaymentId: string, returnUrl: string): boolean {
    return equalTexts(token, this.pageToken(providerPaymentId, returnUrl))
  }

  #eventsOf(providerPaymentId: string): readonly TestEvent[] {
    for (const line of this.#appendedLines()) {
      const event = JSON.parse(line) as TestEvent
      const payment = String(event.data['payment'])
      const events = this.#read.get(payment)
      if (events === undefined) this.#read.set(payment, [event])
      else events.push(event)
    }
    return this.#read.get(providerPaymentId) ?? []
  }

  /** Lines of the books since the last call, written by any process. */
  #appendedLines(): string[] {
    const { bookPath } = this.#deps
    if (!existsSync(bookPath)) return []
    const file = openSync(bookPath, 'r')
    try {
      const appended = Buffer.alloc(fstatSync(file).size - this.#readBytes)
      readSync(file, appended, 0, appended.length, this.#readBytes)
      // What follows the last line break is being written, by another process.
      const whole = appended.subarray(0, appended.lastIndexOf('\n') + 1)
      this.#readBytes += whole.length
      return whole.toString('utf8').split('\n').slice(0, -1)
    } finally {
      closeSync(file)
    }
  }

  #stateOf(providerPaymentId: string): ProviderPaymentState {
    const facts = this.#eventsOf(providerPaymentId).map((event): ProviderFact => readTestEvent({ ...event }).fact)
    if (facts.some(({ kind }) => kind === 'payment_captured')) {
      return {
        status: 'paid',
        facts: facts.filter(({ kind }) => kind !== 'payment_failed' && kind !== 'payment_cancelled'),
      }
    }
    const isCancelled = facts.some(({ kind }) => kind === 'payment_cancelled')
    return { status: isCancelled ? 'cancelled' : 'open', facts: [] }
  }
}

/** The hold of a payment of the test provider; null for any other id. */
export function testHoldId(providerPaymentId: string): string | null {
  return providerPaymentId.startsWith(prefix) ? providerPaymentId.slice(prefix.length) : null
}
