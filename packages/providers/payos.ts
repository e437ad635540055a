import { idNumber } from '@penstock/domain/id-number.ts'
import { PayosApi, PayosRefusal, isRecord } from './payos-api.ts'
import { signPayos } from './payos-signature.ts'
import { capturedFact, isAmount, isReference, isWhole, translatePayosWebhook } from './payos-webhook.ts'
import { ProviderError } from './provider.ts'
import type { PayosAccount } from './payos-api.ts'
import type { FindHoldId } from './payos-webhook.ts'
import type {
  CallOptions,
  CancelOutcome,
  PaymentProvider,
  ProviderPayment,
  ProviderPaymentRequest,
  ProviderPaymentState,
  ProviderRefundOutcome,
  WebhookVerdict,
} from './provider.ts'

export interface PayosOptions extends PayosAccount {
  /** Where buyers go when a payment has no return URL of its own: payOS wants one. */
  readonly returnUrl: string
  readonly findHoldId: FindHoldId
  /** Of the merchant API: https://api-merchant.payos.vn */
  readonly baseUrl: string
}

/** Where buyers pay: the answers about an existing payment do not say it. */
const checkoutUrl = 'https://pay.payos.vn/web/'
/** Bank accounts that were not linked through payOS allow so many characters, others 25. */
const descriptionLengthMax = 9

/**
 * payOS: bank transfers in Vietnam, in VND. A payment is known by its order code, which is the number of its hold, so there
 * is one payment a hold and asking again finds it. payOS sends no money back: refunds are for the seller to make.
 */
export class PayosProvider implements PaymentProvider {
  readonly name = 'payos'
  /** Its signature is in the body. */
  readonly webhookHeaders = []
  readonly canRefund = false
  readonly #api: PayosApi
  readonly #options: PayosOptions

  constructor(options: PayosOptions) {
    this.#api = new PayosApi(options, options.baseUrl)
    this.#options = options
  }

  async createPayment(request: ProviderPaymentRequest, call: CallOptions): Promise<ProviderPayment> {
    if (request.currency !== 'vnd') throw new ProviderError('refused', `payOS takes vnd, not ${request.currency}`)
    const orderCode = idNumber(request.holdId)
    const returnUrl = request.returnUrl ?? this.#options.returnUrl
    const signed = {
      amount: request.amountMinor,
      cancelUrl: returnUrl,
      description: statementText(request.description),
      orderCode,
      returnUrl,
    }
    const payment = { providerPaymentId: String(orderCode), clientSecret: null, expiresMs: request.expiresMs }
    try {
      const link = await this.#api.call(
        'POST',
        '/v2/payment-requests',
        {
          ...signed,
          expiredAt: Math.floor(request.expiresMs / 1_000),
          ...(request.email === null ? {} : { buyerEmail: request.email }),
          signature: signPayos(signed, this.#options.checksumKey),
        },
        call,
      )
      return { ...payment, url: text(link['checkoutUrl'], 'checkoutUrl') }
    } catch (error) {
      // There already: an earlier call whose answer was lost.
      if (!(error instanceof PayosRefusal) || error.payosCode !== '231') throw error
      const link = await this.#find(orderCode, call)
      if (link['amount'] !== request.amountMinor) throw error
      return { ...payment, url: checkoutUrl + encodeURIComponent(text(link['id'], 'id')) }
    }
  }

  async cancelPayment(providerPaymentId: string, call: CallOptions): Promise<CancelOutcome> {
    const path = `/v2/payment-requests/${encodeURIComponent(providerPaymentId)}/cancel`
    try {
      await this.#api.call('POST', path, { cancellationReason: 'The hold has ended' }, call)
      return 'cancelled'
    } catch (error) {
      if (!(error instanceof PayosRefusal)) throw error
      const { status } = await this.findPayment(providerPaymentId, call)
      if (status === 'paid') return 'already_paid'
      if (status === 'cancelled') return 'already_cancelled'
      throw error
    }
  }

  async findPayment(providerPaymentId: string, call: CallOptions): Promise<ProviderPaymentState> {
    const orderCode = Number(providerPaymentId)
    if (!isWhole(orderCode)) return { status: 'unknown', facts: [] }
    try {
      return this.#toState(orderCode, await this.#find(orderCode, call))
    } catch (error) {
      if (error instanceof PayosRefusal && error.payosCode === '101') return { status: 'unknown', facts: [] }
      throw error
    }
  }

  /** Not an outcome `failed`: that would say that the money stays, and the seller may have sent it back by hand. */
  refund(): Promise<ProviderRefundOutcome> {
    return Promise.reject(
      new ProviderError('refused', 'payOS has no refunds: transfer the money yourself, then settle this refund.'),
    )
  }

  translateWebhook(rawBody: Buffer): WebhookVerdict {
    return translatePayosWebhook(rawBody, this.#options.checksumKey, this.#options.findHoldId)
  }

  #find(orderCode: number, call: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    return this.#api.call('GET', `/v2/payment-requests/${orderCode}`, null, call)
  }

  #toState(orderCode: number, link: Readonly<Record<string, unknown>>): ProviderPaymentState {
    const { findHoldId } = this.#options
    const transfers = Array.isArray(link['transactions']) ? link['transactions'] : []
    const facts = transfers.filter(isRecord).flatMap(({ reference, amount }) => {
      if (!isReference(reference) || !isAmount(amount)) return []
      return [capturedFact({ orderCode, reference, amount }, findHoldId)]
    })
    switch (link['status']) {
      case 'PAID':
        return { status: 'paid', facts }
      case 'CANCELLED':
      case 'EXPIRED':
      case 'FAILED':
        return { status: 'cancelled', facts }
      default:
        return { status: 'open', facts }
    }
  }
}

/** Banks pass on letters and digits only. */
function statementText(description: string): string {
  const plain = description
    .replaceAll(/[đĐ]/g, 'd')
    .normalize('NFD')
    .replaceAll(/[^A-Za-z0-9 ]/g, '')
  return plain.slice(0, descriptionLengthMax).trim() || 'order'
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new ProviderError('unreachable', `payOS answered without ${name}`)
}
