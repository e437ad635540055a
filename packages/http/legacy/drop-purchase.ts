import { isErased } from '@penstock/domain/customer.ts'
import { idNumber } from '@penstock/domain/id-number.ts'
import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { idempotencyKey } from '@penstock/providers/provider.ts'
import { expected } from '../expected.ts'
import { refuseSoldOut } from '../sold-out.ts'
import { parsePurchase } from './bodies.ts'
import { findOldDrop } from './drop-reads.ts'
import { failSafe, oldStatus, sendOld, sendOldError, submitOld } from './old-answer.ts'
import type { Static } from 'typebox'
import type { CreateHold } from '@penstock/domain/command.ts'
import type { ShippingAddress } from '@penstock/domain/customer.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { PaymentProvider, ProviderPayment } from '@penstock/providers/provider.ts'
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
  const { providers } = deps
  // Without payOS the page of the test provider, where there is one; the old test tools never open it.
  const provider = providers.payos ?? providers.test
  if (provider === undefined) return sendOldError(exchange, 503, 'No payments are set up here.')
  const contentType = exchange.header('content-type')
  exchange.readBody(bodyBytesMax, (bytes) => {
    if (bytes === null) return sendOldError(exchange, 413, `The body may have at most ${bodyBytesMax} bytes.`)
    const parsed = parsePurchase(bytes, contentType)
    if ('problem' in parsed) return sendOldError(exchange, 400, parsed.problem.detail)
    const lines = [{ skuId: found.sku.id, quantity: parsed.body.quantity }]
    const refusal = refuseSoldOut(deps, found.drop.id, lines)
    if (refusal !== null) return sendOldError(exchange, oldStatus(refusal.outcome), refusal.detail)
    submitOld(exchange, deps, toCommand(parsed.body, found, deps), oldStatus, (result) => {
      answerWithPayment(exchange, deps, provider, found, expected(result, 'hold_created').hold)
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

function answerWithPayment(
  exchange: HttpExchange,
  deps: Deps,
  provider: PaymentProvider,
  { drop }: LegacyDrop,
  hold: Hold,
): void {
  askForPayment(provider, drop.name, hold, deps).then(
    (made) => {
      failSafe(exchange, deps, () => {
        if ('value' in made) return sendPayment(exchange, deps, hold, provider, made.value)
        const status = made.problem.code === 'provider_refused' ? 400 : 503
        giveBack(exchange, deps, hold, status, 'The payment could not be opened. Nothing was bought.')
      })
    },
    (error: unknown) =>
      failSafe(exchange, deps, () => {
        throw error
      }),
  )
}

function askForPayment(
  provider: PaymentProvider,
  description: string,
  hold: Hold,
  { providerCalls }: Pick<Deps, 'providerCalls'>,
): ReturnType<typeof providerCalls.open> {
  const { id: holdId, amountMinor, currency, customer, clientSecret: holdSecret, expiresMs } = hold
  return providerCalls.open(provider, {
    holdId,
    amountMinor,
    currency,
    description,
    email: isErased(customer) ? null : customer.email,
    returnUrl: null,
    expiresMs,
    holdSecret,
    idempotencyKey: idempotencyKey(holdId, 'payment'),
  })
}

/** A payment at payOS is recorded, so that it is looked after should its webhook never come. */
function sendPayment(
  exchange: HttpExchange,
  deps: Deps,
  hold: Hold,
  { name: provider }: PaymentProvider,
  { providerPaymentId, url, clientSecret, expiresMs }: ProviderPayment,
): void {
  const answer = (): void => sendPurchase(exchange, hold, url ?? '')
  if (provider !== 'payos') return answer()
  const { id: holdId, amountMinor, currency } = hold
  const facts = { holdId, provider, providerPaymentId, amountMinor, currency, url, clientSecret, expiresMs }
  submitOld(exchange, deps, { kind: 'open_checkout', key: null, ...facts }, oldStatus, answer)
}

/** The units would wait for money that cannot come. */
function giveBack(exchange: HttpExchange, deps: Deps, hold: Hold, status: number, error: string): void {
  deps.writer.submit({ kind: 'release_hold', key: null, holdId: hold.id, proof: null }, () => undefined)
  sendOldError(exchange, status, error)
}

function sendPurchase(exchange: HttpExchange, hold: Hold, paymentUrl: string): void {
  sendOld(exchange, 200, {
    message: 'Order created, please pay before it expires',
    payment_url: paymentUrl,
    order_code: idNumber(hold.id),
    expires_at: new Date(hold.expiresMs).toISOString(),
  })
}
