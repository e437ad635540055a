import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { eventKey, factCommand } from './fact-command.ts'
import { eventsOf } from './test-payment.ts'
import { TestProvider, testHoldId, testSignatureHeader } from './test-provider.ts'
import type { RefundFact } from '@penstock/domain/provider-fact.ts'
import type { TestAction, TestPayment } from './test-payment.ts'

const nowMs = 1_800_000_000_000
const request = {
  holdId: 'hold_1',
  amountMinor: 4_999,
  currency: 'usd',
  description: 'Drop',
  email: null,
  returnUrl: 'https://shop.example/',
  expiresMs: nowMs,
  holdSecret: 'cs_secret',
  idempotencyKey: 'k',
} as const

let folder = ''
let provider: TestProvider
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-test-provider-'))
  const bookPath = join(folder, 'books.ndjson')
  provider = new TestProvider({ secret: 'a secret of some length', bookPath, baseUrl: () => 'http://127.0.0.1:1' })
})
afterEach(() => rmSync(folder, { recursive: true }))

function happen(action: TestAction): void {
  const payment: TestPayment = { ...request, paymentId: 'tpay_hold_1', expiresMs: nowMs }
  provider.record(eventsOf(payment, action, nowMs))
}

it('TestProvider createPayment gives the same address for the same hold, without its secret', async () => {
  const first = await provider.createPayment(request)
  expect(await provider.createPayment(request)).toEqual(first)
  expect(testHoldId(first.providerPaymentId)).toBe('hold_1')
  expect(first.url).not.toContain('cs_secret')
  const { searchParams } = new URL(String(first.url))
  const token = String(searchParams.get('token'))
  expect(provider.isPageToken(token, first.providerPaymentId, 'https://shop.example/')).toBe(true)
  expect(provider.isPageToken(token, first.providerPaymentId, 'https://evil.example/')).toBe(false)
  expect(provider.isPageToken('', first.providerPaymentId, 'https://shop.example/')).toBe(false)
})

it.each([
  ['nothing', [], 'open', 'cancelled'],
  ['a decline', ['decline'], 'open', 'cancelled'],
  ['a payment', ['decline', 'succeed'], 'paid', 'already_paid'],
  ['a payment after it was cancelled', ['cancel', 'succeed'], 'paid', 'already_paid'],
  ['a cancellation', ['cancel'], 'cancelled', 'already_cancelled'],
] as const)('TestProvider knows of %s from its books', async (_, actions, status, outcome) => {
  for (const action of actions) happen(action)
  const state = await provider.findPayment('tpay_hold_1')
  expect(state.status).toBe(status)
  expect(state.facts.map(({ kind }) => kind)).toEqual(status === 'paid' ? ['payment_captured'] : [])
  expect(await provider.cancelPayment('tpay_hold_1')).toBe(outcome)
  if (outcome === 'cancelled') expect(await provider.cancelPayment('tpay_hold_1')).toBe('already_cancelled')
})

it('TestProvider reads what others append to its books, each line once and when it is whole', async () => {
  const bookPath = join(folder, 'books.ndjson')
  const statusOf = async (id: string) => (await provider.findPayment(id)).status
  const paid = (id: string): string =>
    eventsOf({ ...request, paymentId: id, expiresMs: nowMs }, 'succeed', nowMs)
      .map((event) => `${JSON.stringify(event)}\n`)
      .join('')
  happen('succeed')
  expect(await statusOf('tpay_hold_1')).toBe('paid')
  // Nobody looks at what was read before.
  writeFileSync(bookPath, readFileSync(bookPath, 'utf8').replace(/[^\n]/g, ' '))
  const text = paid('tpay_2')
  appendFileSync(bookPath, text.slice(0, 40))
  expect([await statusOf('tpay_hold_1'), await statusOf('tpay_2')]).toEqual(['paid', 'open'])
  appendFileSync(bookPath, text.slice(40) + paid('tpay_3'))
  expect([await statusOf('tpay_2'), await statusOf('tpay_3'), await statusOf('tpay_hold_1')]).toEqual([
    'paid',
    'paid',
    'paid',
  ])
})

it('TestProvider refund is one for each key, and in its books', async () => {
  happen('succeed')
  const refund = { providerPaymentId: 'tpay_hold_1', amountMinor: 4_999, currency: 'usd', reason: null } as const
  const ask = (refundId: string) => provider.refund({ ...refund, refundId, idempotencyKey: `refund-${refundId}` })
  const first = await ask('rfnd_1')
  expect(first).toMatchObject({ status: 'succeeded' })
  expect(await ask('rfnd_1')).toEqual(first)
  await ask('rfnd_2')
  const { facts } = await provider.findPayment('tpay_hold_1')
  expect(facts.flatMap((fact) => (fact.kind === 'refund_updated' ? [fact.refundId] : []))).toEqual(['rfnd_1', 'rfnd_2'])
})

it('TestProvider accepts what it signed, and nothing else', () => {
  const body = JSON.stringify({ id: 'tevt_1', type: 'payment.failed', created: 1, data: { payment: 'tpay_1' } })
  const take = (text: string, header: string) =>
    provider.translateWebhook(Buffer.from(text), { [testSignatureHeader]: header }, nowMs)
  const header = provider.sign(body, nowMs)
  const fact = { kind: 'payment_failed', providerPaymentId: 'tpay_1' }
  expect(take(body, header)).toEqual({ ok: true, eventId: 'tevt_1', fact })
  expect(take(`${body} `, header)).toMatchObject({ ok: false, reason: 'bad_signature' })
  expect(take('{}', provider.sign('{}', nowMs))).toMatchObject({ ok: false, reason: 'malformed' })
})

it('factCommand gives one refund of a provider one id, whatever is said of it, and others another', () => {
  const fact: RefundFact = {
    kind: 'refund_updated',
    providerPaymentId: 'p',
    providerRefundId: 're_1',
    refundId: null,
    amountMinor: 1,
    currency: 'usd',
    status: 'pending',
    createdMs: nowMs,
  }
  const mint = { id: (kind: string) => kind }
  const idOf = (change: Partial<RefundFact>, name: 'stripe' | 'test' = 'stripe') => {
    const command = factCommand(name, { ...fact, ...change }, null, mint)
    return command?.kind === 'take_fact' ? command.objectId : null
  }
  expect(idOf({ status: 'failed' })).toBe(idOf({}))
  expect(idOf({})).toMatch(/^rfnd_[0-7][0-9a-z]{25}$/)
  expect(new Set([idOf({}), idOf({ providerRefundId: 're_2' }), idOf({}, 'test')]).size).toBe(3)
  expect(eventKey('stripe', 'evt_1')).not.toEqual(eventKey('test', 'evt_1'))
})
