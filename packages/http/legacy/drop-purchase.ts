import { idNumber } from '@penstock/domain/id-number.ts'
import { bodyBytesMax, requestDeadlineMs } from '@penstock/domain/limits.ts'
import { idempotencyKey, ProviderError } from '@penstock/providers/provider.ts'
import { expected } from '../expected.ts'
import { parsePurchase } from './bodies.ts'
import { findOldDrop } from './drop-reads.ts'
import { oldStatus, sendOld, sendOldError, submitOld } from './old-answer.ts'
import type { Static } from 'typebox'
import type { CreateHold } from '@penstock/domain/command.ts'
import type { ShippingAddress } from '@penstock/domain/customer.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { PaymentProvider } from '@penstock/providers/provider.ts'
import type { Deps } from '../api.ts'
import type { HttpExchange } from '../transport.ts'
import type { purchaseBody } from './bodies.ts'
import type { LegacyDrop } from './legacy-drops.ts'

type Body = Static<typeof purchaseBody>

/**
 * `POST /api/drops/:id/purchase`: a hold, and where to pay for it. The old system counted nothing before the money was
 * there, so several could pay for one unit (defect S3); here the units are the buyer's until the hold ends.
 */
export function purchase(exchange: HttpExchange, deps: Deps): void {
  const found = findOldDrop(exchange, deps)
  if (found === null) return
  const contentType = exchange.header('content-type')
  exchange.readBody(bodyBytesMax, (bytes) => {
    if (bytes === null) return sendOldError(exchange, 413, `The body may have at most ${bodyBytesMax} bytes.`)
    const parsed = parsePurchase(bytes, contentType)
    if ('problem' in parsed) return sendOldError(exchange, 400, parsed.problem.detail)
    submitOld(exchange, deps, toCommand(parsed.body, found, deps), oldStatus, (result) => {
      answerWithPayment(exchange, deps, found, expected(result, 'hold_created').hold)
    })
  })
}

function toCommand(body: Body, { drop, sku }: LegacyDrop, { mint }: Pick<Deps, 'mint'>): CreateHold {
  return {
    kind: 'create_hold',
    key: null,
    holdId: mint.id('hold'),
    clientSecret: mint.clientSecret(),
    dropId: drop.id,
    lines: [{ skuId: sku.id, quantity: body.quantity }],
    customer: {
      email: body.email,
      phone: filled(body.phone),
      externalId: null,
      name: filled(body.name),
      shippingAddress: toAddress(body),
    },
    replace: null,
  }
}

/** The old form knew Vietnam only. */
function toAddress({ address, ward, district, province }: Body): ShippingAddress | null {
  const line1 = filled(address)
  const city = filled(district)
  if (line1 === null && city === null) return null
  return {
    line1: line1 ?? '-',
    line2: filled(ward),
    city: city ?? '-',
    state: filled(province),
    postalCode: null,
    country: 'VN',
  }
}

function filled(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text
}

function answerWithPayment(exchange: HttpExchange, deps: Deps, found: LegacyDrop, hold: Hold): void {
  const { payos } = deps.legacy
  // Without payOS nobody asks for money: what the old test tools do next is to say that it came.
  if (payos === null) return sendPurchase(exchange, hold, '/docs')
  askForPayment(payos, found, hold).then(
    (url) => sendPurchase(exchange, hold, url),
    (error: unknown) => {
      deps.log(`payOS gave no payment for ${hold.id}`, error)
      // The units would wait for money that cannot come.
      deps.writer.submit({ kind: 'release_hold', key: null, holdId: hold.id, proof: null }, () => undefined)
      const isRefused = error instanceof ProviderError && error.code === 'refused'
      sendOldError(exchange, isRefused ? 400 : 503, 'The payment could not be opened. Nothing was bought.')
    },
  )
}

async function askForPayment(payos: PaymentProvider, { drop }: LegacyDrop, hold: Hold): Promise<string> {
  const payment = await payos.createPayment(
    {
      holdId: hold.id,
      amountMinor: hold.amountMinor,
      currency: hold.currency,
      description: drop.name,
      email: 'email' in hold.customer ? hold.customer.email : null,
      returnUrl: null,
      expiresMs: hold.expiresMs,
      holdSecret: hold.clientSecret,
      idempotencyKey: idempotencyKey(hold.id, 'payment'),
    },
    { deadlineMs: requestDeadlineMs },
  )
  if (payment.url === null) throw new ProviderError('unreachable', 'payOS named no page to pay at')
  return payment.url
}

function sendPurchase(exchange: HttpExchange, hold: Hold, paymentUrl: string): void {
  sendOld(exchange, 200, {
    message: 'Order created, please pay before it expires',
    payment_url: paymentUrl,
    order_code: idNumber(hold.id),
    expires_at: new Date(hold.expiresMs).toISOString(),
  })
}
