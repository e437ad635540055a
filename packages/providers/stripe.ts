import Stripe from 'stripe'
import { withAttempts } from './attempt.ts'
import { idempotencyKey, ProviderError } from './provider.ts'
import { MalformedWebhook, parseBody, readFields, readId } from './read-fields.ts'
import { paymentIntentCaptured, stripeDisputeFact, stripeFact, stripeRefundFact } from './stripe-event.ts'
import { refuseSignature } from './webhook-signature.ts'
import type { ProviderFact } from '@penstock/domain/provider-fact.ts'
import type { AttemptDeps } from './attempt.ts'
import type {
  CallOptions,
  CancelOutcome,
  PaymentProvider,
  ProviderPayment,
  ProviderPaymentRequest,
  ProviderPaymentState,
  ProviderRefundOutcome,
  ProviderRefundRequest,
  WebhookVerdict,
} from './provider.ts'
import type { Fields } from './read-fields.ts'

export interface StripeDeps extends AttemptDeps {
  /** Null: no calls go out; webhooks come all the same. */
  readonly secretKey: string | null
  /** Any of them may have signed a webhook: two while one is being replaced. */
  readonly webhookSecrets: readonly string[]
  /** Another address than Stripe's own, for a mock or a proxy. */
  readonly apiBase: string | null
}

/** What Stripe says when a PaymentIntent is not in a state in which it can be cancelled. */
const unexpectedState = 'payment_intent_unexpected_state'
/** Refunds and disputes of one payment that are looked at: a buyer is given back the money in fewer parts. */
const listMax = 100

/** Stripe by its own library for the calls that go out; webhooks are checked here, on the way of every payment. */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe'
  readonly webhookHeaders = ['stripe-signature']
  readonly #deps: StripeDeps
  readonly #library: Stripe | null

  constructor(deps: StripeDeps) {
    this.#deps = deps
    const { secretKey, apiBase } = deps
    const options = { maxNetworkRetries: 0, telemetry: false, ...addressOf(apiBase) }
    this.#library = secretKey === null ? null : new Stripe(secretKey, options)
  }

  get canRefund(): boolean {
    return this.#library !== null
  }

  get #stripe(): Stripe {
    if (this.#library === null) throw new ProviderError('misconfigured', 'STRIPE_SECRET_KEY is not set.')
    return this.#library
  }

  translateWebhook(rawBody: Buffer, headers: Readonly<Record<string, string>>, nowMs: number): WebhookVerdict {
    const refusal = refuseSignature(rawBody, headers['stripe-signature'] ?? '', this.#deps.webhookSecrets, nowMs)
    if (refusal !== null) return refusal
    try {
      const event = parseBody(rawBody)
      const eventId = readId(event['id'], 'id')
      const object = readFields(readFields(event['data'], 'data')['object'], 'data.object')
      return { ok: true, eventId, fact: stripeFact(String(event['type']), object) }
    } catch (error) {
      if (error instanceof MalformedWebhook) return { ok: false, reason: 'malformed', detail: error.message }
      throw error
    }
  }

  async createPayment(request: ProviderPaymentRequest, call: CallOptions): Promise<ProviderPayment> {
    const { holdId, amountMinor, currency, description, email } = request
    const intent = await this.#call(call, (options) =>
      this.#stripe.paymentIntents.create(
        {
          amount: amountMinor,
          currency,
          description,
          ...(email === null ? {} : { receipt_email: email }),
          automatic_payment_methods: { enabled: true },
          metadata: { penstock_hold: holdId },
        },
        { ...options, idempotencyKey: request.idempotencyKey },
      ),
    )
    const { id: providerPaymentId, client_secret: clientSecret } = intent
    // A proxy may answer with anything, and the writer ends the line to a process that sends it something else.
    if (typeof providerPaymentId !== 'string' || (clientSecret !== null && typeof clientSecret !== 'string')) {
      throw new ProviderError('unreachable', 'Something between here and Stripe answered with no PaymentIntent.')
    }
    return { providerPaymentId, url: null, clientSecret, expiresMs: request.expiresMs }
  }

  async cancelPayment(providerPaymentId: string, call: CallOptions): Promise<CancelOutcome> {
    if (isSession(providerPaymentId)) return this.#expireSession(providerPaymentId, call)
    try {
      await this.#call(call, (options) =>
        this.#stripe.paymentIntents.cancel(
          providerPaymentId,
          {},
          { ...options, idempotencyKey: idempotencyKey(providerPaymentId, 'cancel') },
        ),
      )
      return 'cancelled'
    } catch (error) {
      if (codeOf(error) !== unexpectedState) throw error
      const { status } = await this.#call(call, (options) =>
        this.#stripe.paymentIntents.retrieve(providerPaymentId, {}, options),
      )
      if (status === 'succeeded') return 'already_paid'
      if (status === 'canceled') return 'already_cancelled'
      throw error
    }
  }

  /** Only an open session can be expired; one that was completed meanwhile is late money. */
  async #expireSession(id: string, call: CallOptions): Promise<CancelOutcome> {
    const { sessions } = this.#stripe.checkout
    try {
      await this.#call(call, (options) =>
        sessions.expire(id, {}, { ...options, idempotencyKey: idempotencyKey(id, 'cancel') }),
      )
      return 'cancelled'
    } catch (error) {
      if (!(error instanceof ProviderError) || error.code !== 'refused') throw error
      const { status } = await this.#call(call, (options) => sessions.retrieve(id, {}, options))
      if (status === 'complete') return 'already_paid'
      if (status === 'expired') return 'already_cancelled'
      throw error
    }
  }

  async findPayment(providerPaymentId: string, call: CallOptions): Promise<ProviderPaymentState> {
    try {
      const intent = await this.#call(call, (options) =>
        this.#stripe.paymentIntents.retrieve(providerPaymentId, {}, options),
      )
      if (intent.status === 'canceled') return { status: 'cancelled', facts: [] }
      if (intent.status !== 'succeeded') return { status: 'open', facts: [] }
      const of = { payment_intent: providerPaymentId, limit: listMax }
      const refunds = await this.#call(call, (options) => this.#stripe.refunds.list(of, options))
      const disputes = await this.#call(call, (options) => this.#stripe.disputes.list(of, options))
      const facts = [
        paymentIntentCaptured(fieldsOf(intent)),
        ...refunds.data.map((refund) => stripeRefundFact(fieldsOf(refund))),
        ...disputes.data.map((dispute) => stripeDisputeFact(fieldsOf(dispute))),
      ]
      return { status: 'paid', facts: facts.filter(({ kind }) => kind !== 'ignored') }
    } catch (error) {
      if (codeOf(error) === 'resource_missing') return { status: 'unknown', facts: [] }
      if (error instanceof MalformedWebhook) throw new ProviderError('refused', error.message, { cause: error })
      throw error
    }
  }

  async refund(request: ProviderRefundRequest, call: CallOptions): Promise<ProviderRefundOutcome> {
    const { providerPaymentId, refundId, amountMinor, reason } = request
    try {
      const refund = await this.#call(call, (options) =>
        this.#stripe.refunds.create(
          {
            payment_intent: providerPaymentId,
            amount: amountMinor,
            metadata: { penstock_refund: refundId, ...(reason === null ? {} : { reason }) },
          },
          { ...options, idempotencyKey: request.idempotencyKey },
        ),
      )
      return refundOutcome({ ...fieldsOf(refund), payment_intent: providerPaymentId }, request)
    } catch (error) {
      // Refused for good: it was refunded or disputed already, or is too old.
      if (!(error instanceof ProviderError) || error.code !== 'refused') throw error
      return { providerRefundId: null, status: 'failed', detail: error.message }
    }
  }

  #call<Value>(
    call: CallOptions,
    run: (options: Stripe.RequestOptions) => Promise<Stripe.Response<Value>>,
  ): Promise<Stripe.Response<Value>> {
    return withAttempts(
      (attemptMs) => run({ timeout: attemptMs }).then(refuseFailure, translateError),
      call,
      this.#deps,
    )
  }
}

/**
 * What became of a refund, of the answer to it. One that is not of this refund, or cannot be read, says nothing about the
 * money: asked again with its key, the refund is still made once.
 */
function refundOutcome(answer: Fields, { amountMinor, currency }: ProviderRefundRequest): ProviderRefundOutcome {
  try {
    const fact: ProviderFact = stripeRefundFact(answer)
    if (fact.kind !== 'refund_updated') throw new MalformedWebhook('status is none that is known here.')
    if (fact.amountMinor !== amountMinor) throw new MalformedWebhook('amount is not what was asked for.')
    if (fact.currency !== currency) throw new MalformedWebhook('currency is not that of the payment.')
    return { providerRefundId: fact.providerRefundId, status: fact.status, detail: null }
  } catch (error) {
    if (!(error instanceof MalformedWebhook)) throw error
    const field = error.message.replace('data.object.', '')
    throw new ProviderError('unreachable', `The answer to a refund cannot be read: ${field}`, { cause: error })
  }
}

function isSession(id: string): boolean {
  return id.startsWith('cs_')
}

function addressOf(apiBase: string | null): Pick<Stripe.StripeConfig, 'host' | 'port' | 'protocol'> {
  if (apiBase === null) return {}
  const { hostname, port, protocol } = new URL(apiBase)
  const isPlain = protocol === 'http:'
  return {
    host: hostname,
    port: port === '' ? (isPlain ? 80 : 443) : Number(port),
    protocol: isPlain ? 'http' : 'https',
  }
}

/** Objects of the library carry functions of their own, never as fields that are read. */
function fieldsOf(object: object): Fields {
  return object as unknown as Fields
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof ProviderError ? error.cause : undefined
  return cause instanceof StripeFailure ? cause.code : undefined
}

/** What of an error of the library may be logged: it has the whole payment, with its secret and the buyer's e-mail. */
class StripeFailure extends Error {
  readonly code: string | undefined
  readonly statusCode: number | undefined
  readonly requestId: string | undefined
  constructor({ type, message, code, statusCode, requestId, detail }: Stripe.errors.StripeError) {
    super(message, { cause: detail })
    this.name = type
    this.code = code
    this.statusCode = statusCode
    this.requestId = requestId
  }
}

/** The library takes a 5xx whose body is JSON without `error`, as proxies send them, for an answer. */
function refuseFailure<Value>(value: Stripe.Response<Value>): Stripe.Response<Value> {
  const { statusCode } = value.lastResponse
  if (statusCode < 300) return value
  throw new ProviderError('unreachable', `Something between here and Stripe answered with status ${statusCode}.`)
}

/** Public messages of the API, which name ids and fields and no secrets; a rejected key is not repeated. */
function translateError(error: unknown): never {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  const make = (code: ProviderError['code'], message: string): ProviderError =>
    new ProviderError(code, message, { cause: new StripeFailure(error) })
  if (error instanceof Stripe.errors.StripeConnectionError) {
    throw make('unreachable', 'Stripe could not be reached, or did not answer in time.')
  }
  if (error instanceof Stripe.errors.StripeAuthenticationError || error.statusCode === 403) {
    throw make('misconfigured', 'Stripe does not accept STRIPE_SECRET_KEY for this.')
  }
  if (error instanceof Stripe.errors.StripeRateLimitError || error.statusCode === 429) {
    throw make('rate_limited', 'Stripe takes no more requests for now.')
  }
  // 409: the same key is being worked on. 5xx: theirs. Both are answered when asked again with the key.
  if (error.statusCode === 409 || error.statusCode === undefined || error.statusCode >= 500) {
    throw make('unreachable', `Stripe failed with status ${error.statusCode ?? 'unknown'}.`)
  }
  throw make('refused', `Stripe refused: ${error.message.slice(0, 300)}`)
}
