import { createHmac } from 'node:crypto'
import { countToken, renderRequest } from './generators/plan.ts'
import { unitAmount } from './sale.ts'
import type { RequestTemplate, Step } from './generators/plan.ts'
import type { RowCounts } from './row-counts.ts'
import type { Sale, SaleFacts } from './sale.ts'

/** Numbers set aside for one phase: more than any machine can use. */
const numbersPerPhase = 1_000_000_000

const rowsOfHold: Partial<RowCounts> = { holds: 1, unitsHeld: 1 }
/** A unit that was held is sold. The ledger has one row per double entry. */
const rowsOfPayment: Partial<RowCounts> = {
  payments: 1,
  orders: 1,
  ledgerEntries: 1,
  keys: 1,
  unitsSold: 1,
  unitsHeld: -1,
}
const rowsOfUnmatched: Partial<RowCounts> = { payments: 1, ledgerEntries: 1, keys: 1 }

function authorized(key: string): Readonly<Record<string, string>> {
  return { Authorization: `Bearer ${key}` }
}

function json(key: string): Readonly<Record<string, string>> {
  return { ...authorized(key), 'Content-Type': 'application/json' }
}

/** Buyers read the list of all drops. */
export function readList({ facts }: Sale): Step {
  return readStep('list', facts, '/v1/drops', '{"object":"list"')
}

/** Buyers look how one drop stands. */
export function readOne({ facts }: Sale): Step {
  return readStep('status', facts, `/v1/drops/${facts.dropId}`, '{"id":"drop_')
}

function readStep(name: string, { publishableKey }: SaleFacts, path: string, answerStart: string): Step {
  const template = { method: 'GET', path, headers: authorized(publishableKey), body: null } as const
  return { name, template, tokens: null, expects: '2xx', rows: {}, answerStart }
}

/** Fresh buyers hold one unit each. */
export function createHold(sale: Sale): Step {
  return {
    name: 'hold',
    template: holdTemplate(sale.facts),
    tokens: { kind: 'count', from: sale.takeNumbers(numbersPerPhase) },
    expects: '2xx',
    rows: rowsOfHold,
    keepsId: true,
    answerStart: '{"id":"hold_',
  }
}

/** The same, where nothing is left. */
export function refusedHold(sale: Sale): Step {
  const { keepsId: _, ...step } = createHold(sale)
  return { ...step, name: 'refusal', expects: 409, rows: {} }
}

/** The same with an Idempotency-Key of its own, as the SDK sends it. */
export function refusedHoldWithKey(sale: Sale): Step {
  const step = refusedHold(sale)
  const { template } = step
  const headers = { ...template.headers, 'Idempotency-Key': 'refusal-{token}' }
  return { ...step, name: 'keyed refusal', template: { ...template, headers } }
}

/** A hold of one unit by the buyer with the number `{token}`. */
export function holdTemplate({ publishableKey, dropId, skuId }: SaleFacts): RequestTemplate {
  return {
    method: 'POST',
    path: '/v1/holds',
    headers: json(publishableKey),
    body: JSON.stringify({
      drop: dropId,
      lines: [{ sku: skuId, quantity: 1 }],
      customer: { email: 'buyer{token}@bench.test' },
    }),
  }
}

/** Money for each of `holds`, with an Idempotency-Key. */
export function payHolds({ facts }: Sale, holds: readonly string[]): Step {
  const template = paymentTemplate(facts)
  return { name: 'payment', template, tokens: { kind: 'list', list: holds }, expects: '2xx', rows: rowsOfPayment }
}

/** Payments that are there already, again and again. */
export function payAgain(sale: Sale, holds: readonly string[]): Step {
  return { ...payHolds(sale, holds), name: 'duplicate', tokens: { kind: 'list', list: holds, again: true }, rows: {} }
}

/** Money for the holds that this phase made; `seed` are there from the start. */
export function payAnswered({ facts }: Sale, seed: readonly string[]): Step {
  const template = paymentTemplate(facts)
  return {
    name: 'payment',
    template,
    tokens: { kind: 'answered', seed },
    expects: '2xx',
    rows: rowsOfPayment,
    answerStart: '{"id":"pay_',
  }
}

const unknownHold = (number: string): string => `hold_${'0'.repeat(14)}${number}`

/**
 * Money for a hold that nobody knows: it is recorded, and answered 2xx, or it would be lost. As webhooks of Stripe, at
 * most `countMax` of them.
 */
export function payUnknown(sale: Sale, countMax: number, nowSeconds: number): Step {
  const from = sale.takeNumbers(countMax)
  const holds = Array.from({ length: countMax }, (_, place) => unknownHold(countToken(from + place)))
  const step = payByWebhook(sale, holds, nowSeconds)
  return { ...step, name: 'unknown', rows: rowsOfUnmatched, answerStart: '{"object":"webhook"' }
}

/** Money for the hold `{token}`. */
function paymentTemplate({ secretKey }: SaleFacts): RequestTemplate {
  return {
    method: 'POST',
    path: '/v1/payments',
    headers: { ...json(secretKey), 'Idempotency-Key': '{token}' },
    body: JSON.stringify({
      hold: '{token}',
      provider: 'manual',
      provider_payment_id: 'pi_{token}',
      amount: unitAmount,
      currency: 'usd',
    }),
  }
}

/**
 * A webhook of Stripe for each of `holds`: `payment_intent.succeeded`, signed now (taken for 300 s). Each has another
 * signature, so whole requests are prepared.
 */
export function payByWebhook({ facts }: Sale, holds: readonly string[], nowSeconds: number): Step {
  const { webhookSecret, url } = facts
  if (webhookSecret === null) throw new Error('this server takes no webhooks')
  const list = holds.map((hold) => renderRequest(webhookRequest(hold, webhookSecret, nowSeconds), url))
  return {
    name: 'webhook',
    template: { method: 'POST', path: webhookPath, headers: {}, body: null },
    tokens: { kind: 'requests', list },
    expects: '2xx',
    // The id of the event is its key.
    rows: rowsOfPayment,
  }
}

export const webhookPath = '/v1/webhooks/stripe'

function webhookRequest(hold: string, secret: string, nowSeconds: number): RequestTemplate {
  const body = JSON.stringify({
    id: `evt_${hold}`,
    object: 'event',
    api_version: '2025-09-30.clover',
    created: nowSeconds,
    livemode: false,
    type: 'payment_intent.succeeded',
    data: {
      object: {
        id: `pi_${hold}`,
        object: 'payment_intent',
        amount: unitAmount,
        amount_received: unitAmount,
        currency: 'usd',
        status: 'succeeded',
        metadata: { penstock_hold: hold },
      },
    },
  })
  const signature = createHmac('sha256', secret).update(`${nowSeconds}.${body}`).digest('hex')
  return {
    method: 'POST',
    path: webhookPath,
    headers: { 'Content-Type': 'application/json', 'Stripe-Signature': `t=${nowSeconds},v1=${signature}` },
    body,
  }
}
