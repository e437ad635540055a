import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idPattern } from '@penstock/domain/id.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectProblem } from './expect-problem.ts'
import { expectStatus, nowSeconds, openDrop, pay, present, readDrop, skuOf, takeHold } from './shop.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { Answer } from '../client.ts'
import type {
  WireBalance,
  WireDispute,
  WireDrop,
  WireHold,
  WireList,
  WireOrder,
  WirePayment,
  WireRefund,
} from '../wire-types.ts'

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

/** Refunds, disputes, attached payments, cancelled and fulfilled orders, as clients see them. */

const unknownHold = 'hold_00000000000000000000000000'

function anId(kind: IdKind): unknown {
  return expect.stringMatching(new RegExp(idPattern(kind)))
}

const aTime: unknown = expect.toSatisfy(
  (time: unknown) => typeof time === 'number' && Number.isInteger(time) && Math.abs(time - nowSeconds()) < 3_600,
  'a time in whole Unix seconds, near now',
)

describe.each(['uws', 'node'] as const)('money that goes back, on %s', (transport) => {
  let box: Box
  let seller: Client
  let drop: WireDrop

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 2 })
    seller = new Client(box.url, box.secretKey, { check })
    drop = await openDrop(seller)
  })

  afterAll(async () => {
    seller.close()
    const violations = auditDatabase(box.databasePath)
    await box.stop()
    expect(violations).toEqual([])
  })

  /** Two units at 49.99, paid. */
  const paid = async (fields: object = {}): Promise<{ payment: WirePayment; hold: WireHold }> => {
    const hold = await takeHold(seller, drop, 2)
    return { hold, payment: expectStatus(await pay(seller, hold, fields), 201).body }
  }
  const sku = (): string => skuOf(drop).id
  const refund = (body: object): Promise<Answer<WireRefund>> => seller.post<WireRefund>('/v1/refunds', body)
  const paymentNow = async (id: string): Promise<WirePayment> =>
    expectStatus(await seller.get<WirePayment>(`/v1/payments/${id}`), 200).body
  const orderNow = async (payment: WirePayment): Promise<WireOrder> =>
    expectStatus(await seller.get<WireOrder>(`/v1/orders/${payment.order}`), 200).body
  const balances = async (): Promise<Record<string, number>> => {
    const { body } = expectStatus(await seller.get<WireList<WireBalance>>('/v1/ledger/balances'), 200)
    expect(body).toStrictEqual({ object: 'list', data: body.data, has_more: false })
    for (const row of body.data) {
      expect(row).toStrictEqual({ ...row, object: 'ledger_balance', currency: 'usd', balance: row.balance })
    }
    return Object.fromEntries(body.data.map(({ account, balance }) => [account, balance]))
  }
  /** How the balances differ after `act`. */
  const moved = async (act: () => Promise<unknown>): Promise<Record<string, number>> => {
    const before = await balances()
    await act()
    const changes = Object.entries(await balances()).map(
      ([account, balance]) => [account, balance - (before[account] ?? 0)] as const,
    )
    return Object.fromEntries(changes.filter(([, change]) => change !== 0))
  }

  describe('refunds', () => {
    it('of all of it have every field of the shape, and show on payment and order', async () => {
      const { payment } = await paid()
      const answer = await refund({ payment: payment.id, reason: 'Too small' })
      expect(answer.status).toBe(201)
      expect(answer.body).toStrictEqual({
        id: anId('refund'),
        object: 'refund',
        status: 'succeeded',
        payment: payment.id,
        order: payment.order,
        amount: 9_998,
        currency: 'usd',
        reason: 'Too small',
        lines: [{ sku: sku(), quantity: 2 }],
        restock: false,
        created: aTime,
        settled_at: aTime,
      })
      expect((await seller.get(`/v1/refunds/${answer.body.id}`)).body).toStrictEqual(answer.body)
      expect(await paymentNow(payment.id)).toStrictEqual({ ...payment, status: 'refunded', amount_refunded: 9_998 })
      expect(await orderNow(payment)).toMatchObject({
        status: 'refunded',
        amount: 9_998,
        amount_refunded: 9_998,
        lines: [{ sku: sku(), quantity: 2, unit_amount: 4_999, quantity_refunded: 2 }],
      })
    })

    it('of lines cost their price, and put units on sale when asked to', async () => {
      const { payment } = await paid()
      const before = skuOf(await readDrop(seller, drop.id))
      const lines = [{ sku: sku(), quantity: 1 }]
      expect((await refund({ payment: payment.id, lines, restock: true })).body).toMatchObject({ amount: 4_999, lines })
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({
        sold: before.sold - 1,
        available: before.available + 1,
      })
      expect(await paymentNow(payment.id)).toMatchObject({ status: 'partially_refunded', amount_refunded: 4_999 })
      expect(await orderNow(payment)).toMatchObject({
        status: 'partially_refunded',
        amount_refunded: 4_999,
        lines: [{ quantity_refunded: 1 }],
      })
      expectProblem(
        await refund({ payment: payment.id, lines: [{ sku: sku(), quantity: 2 }] }),
        409,
        'refund_too_large',
        'lines[0].quantity',
      )
      expectProblem(await refund({ payment: payment.id, amount: 5_000 }), 409, 'refund_too_large', 'amount')
      const other = { payment: payment.id, lines: [{ sku: 'sku_00000000000000000000000000', quantity: 1 }] }
      expectProblem(await refund(other), 404, 'not_found', 'lines[0].sku')
      expectProblem(await refund({ payment: payment.id, amount: 1, restock: true }), 400, 'invalid_request', 'restock')
    })

    it('by a provider are pending until they are settled, once', async () => {
      const { payment } = await paid({ provider: 'stripe' })
      let made = {} as WireRefund
      expect(await moved(async () => (made = (await refund({ payment: payment.id })).body))).toEqual({
        sales: 9_998,
        refunds_due: -9_998,
      })
      expect(made).toMatchObject({ status: 'pending', settled_at: null })
      expect(await paymentNow(payment.id)).toMatchObject({ status: 'refunded', amount_refunded: 9_998 })
      const settle = (status: string): Promise<Answer<WireRefund>> =>
        seller.post<WireRefund>(`/v1/refunds/${made.id}/settle`, { status })
      const failed = expectStatus(await settle('failed'), 200)
      expect(failed.body).toStrictEqual({ ...made, status: 'failed', settled_at: aTime })
      expect((await settle('failed')).text).toBe(failed.text)
      expectProblem(await settle('succeeded'), 409, 'invalid_transition', 'status')
      expect(await paymentNow(payment.id)).toStrictEqual(payment)
      const again = (await refund({ payment: payment.id })).body
      expect(await moved(() => seller.post(`/v1/refunds/${again.id}/settle`, { status: 'succeeded' }))).toEqual({
        'cash:stripe': -9_998,
        refunds_due: 9_998,
      })
    })

    it('of money without goods go back without an order', async () => {
      for (const [fields, status] of [
        [{ amount: 7 }, 'refund_due'],
        [{ amount: 7, hold: unknownHold }, 'unmatched'],
      ] as const) {
        const { payment } = await paid(fields)
        expect(payment.status).toBe(status)
        const lines = [{ sku: sku(), quantity: 1 }]
        expectProblem(await refund({ payment: payment.id, lines }), 400, 'invalid_request', 'lines')
        expect((await refund({ payment: payment.id, amount: 3 })).body).toMatchObject({ order: null, lines: [] })
        expect(await paymentNow(payment.id)).toMatchObject({ status, amount_refunded: 3 })
        expect((await refund({ payment: payment.id })).body).toMatchObject({ amount: 4 })
        expect(await paymentNow(payment.id)).toMatchObject({ status: 'refunded', amount_refunded: 7 })
      }
    })
  })

  describe('disputes', () => {
    it('have every field of the shape, and show on the payment', async () => {
      const { payment } = await paid({ provider: 'stripe' })
      const body = { payment: payment.id, provider_dispute_id: `dp_${randomUUID()}`, amount: 5_000, reason: 'fraud' }
      const answer = await seller.post<WireDispute>('/v1/disputes', body)
      expect(answer.status).toBe(201)
      expect(answer.body).toStrictEqual({
        ...body,
        id: anId('dispute'),
        object: 'dispute',
        status: 'open',
        currency: 'usd',
        created: aTime,
        closed_at: null,
      })
      expect((await seller.get(`/v1/disputes/${answer.body.id}`)).body).toStrictEqual(answer.body)
      expect(await paymentNow(payment.id)).toStrictEqual({ ...payment, status: 'disputed', amount_disputed: 5_000 })
      // The same report again; then others under its name.
      const again = await seller.post('/v1/disputes', body)
      expect([again.status, again.text]).toEqual([200, answer.text])
      const other = await seller.post('/v1/disputes', { ...body, amount: 1 })
      expectProblem(other, 409, 'dispute_conflict', 'provider_dispute_id')
      const more = await seller.post('/v1/disputes', { ...body, provider_dispute_id: 'more' })
      expectProblem(more, 409, 'dispute_too_large', 'amount')
      // Only what is not disputed can be refunded.
      expectProblem(await refund({ payment: payment.id, amount: 4_999 }), 409, 'refund_too_large', 'amount')
      expect((await refund({ payment: payment.id })).body).toMatchObject({ amount: 4_998 })
    })

    it.each([
      ['won', { 'cash:stripe': 9_998, disputes: -9_998 }, { status: 'captured', amount_disputed: 0 }],
      ['lost', { sales: 9_998, disputes: -9_998 }, { status: 'disputed', amount_disputed: 9_998 }],
    ] as const)('that are %s settle the money, once', async (status, accounts, shown) => {
      const { payment } = await paid({ provider: 'stripe' })
      const body = { payment: payment.id, provider_dispute_id: `dp_${randomUUID()}` }
      const { id } = (await seller.post<WireDispute>('/v1/disputes', body)).body
      const close = (as: string): Promise<Answer<WireDispute>> =>
        seller.post(`/v1/disputes/${id}/close`, { status: as })
      expect(await moved(() => close(status))).toEqual(accounts)
      const again = expectStatus(await close(status), 200)
      expect(again.body).toMatchObject({ status, closed_at: aTime })
      expectProblem(await close(status === 'won' ? 'lost' : 'won'), 409, 'invalid_transition', 'status')
      expect(await paymentNow(payment.id)).toMatchObject(shown)
    })
  })

  describe('orders', () => {
    it('that are cancelled refund what is left, and are not fulfilled', async () => {
      const { payment } = await paid()
      await refund({ payment: payment.id, amount: 998 })
      const { sold } = skuOf(await readDrop(seller, drop.id))
      const cancel = (): Promise<Answer<WireOrder>> =>
        seller.post<WireOrder>(`/v1/orders/${payment.order}/cancel`, { restock: true, reason: 'Sold elsewhere' })
      const answer = expectStatus(await cancel(), 200)
      expect(answer.body).toMatchObject({
        status: 'cancelled',
        amount_refunded: 9_998,
        lines: [{ quantity_refunded: 2 }],
        cancelled_at: aTime,
        fulfilled_at: null,
      })
      // Codes come with one order only.
      const { codes, ...order } = await orderNow(payment)
      expect(order).toStrictEqual(answer.body)
      expect(codes?.map(({ status }) => status)).toEqual(['void', 'void'])
      expect((await cancel()).text).toBe(answer.text)
      expect(skuOf(await readDrop(seller, drop.id)).sold).toBe(sold - 2)
      expectProblem(await seller.post(`/v1/orders/${payment.order}/fulfil`), 409, 'invalid_transition', 'id')
    })

    it('that are fulfilled are not cancelled, but may be refunded', async () => {
      const { payment } = await paid()
      const path = `/v1/orders/${payment.order}`
      const answer = expectStatus(await seller.post<WireOrder>(`${path}/fulfil`), 200)
      expect(answer.body).toMatchObject({ status: 'fulfilled', fulfilled_at: aTime, cancelled_at: null })
      expect((await seller.post(`${path}/fulfil`)).text).toBe(answer.text)
      expectProblem(await seller.post(`${path}/cancel`), 409, 'invalid_transition', 'id')
      await refund({ payment: payment.id, amount: 1 })
      expect(await orderNow(payment)).toMatchObject({ status: 'partially_refunded', fulfilled_at: aTime })
    })
  })

  describe('attached payments', () => {
    it('become an order, and stay the same payment for their provider', async () => {
      const hold = await takeHold(seller, drop, 2)
      const report = { hold: unknownHold, provider: 'stripe', provider_payment_id: `pi_${randomUUID()}` }
      const body = { ...report, amount: hold.amount, currency: hold.currency }
      const key = { 'idempotency-key': randomUUID() }
      const first = expectStatus(await seller.post<WirePayment>('/v1/payments', body, key), 201)
      const attach = (to: string): Promise<Answer<WirePayment>> =>
        seller.post<WirePayment>(`/v1/payments/${first.body.id}/attach`, { hold: to })
      expectProblem(await attach(unknownHold), 404, 'not_found', 'hold')
      const small = await takeHold(seller, drop)
      expectProblem(await attach(small.id), 409, 'payment_conflict', 'hold')
      expectProblem(await attach((await paid()).hold.id), 409, 'hold_not_active', 'hold')
      let attached = {} as WirePayment
      const accounts = await moved(async () => {
        attached = expectStatus(await attach(hold.id), 200).body
      })
      expect(accounts).toEqual({ refunds_due: 9_998, sales: -9_998 })
      expect(attached).toStrictEqual({
        ...first.body,
        status: 'captured',
        reason: null,
        hold: hold.id,
        order: anId('order'),
      })
      expect(await paymentNow(attached.id)).toStrictEqual(attached)
      expect((await attach(hold.id)).body).toStrictEqual(attached)
      expectProblem(await attach(small.id), 409, 'invalid_transition', 'id')
      expect((await seller.post('/v1/payments', body, key)).text).toBe(first.text)
      const reported = await seller.post('/v1/payments', body)
      expect([reported.status, reported.body]).toEqual([200, attached])
      expect(await orderNow(attached)).toMatchObject({ hold: hold.id, payment: attached.id, status: 'paid' })
    })
  })

  describe('Idempotency-Key', () => {
    const provider = { provider: 'stripe' }
    /** A path and a body, and another body that the same key must not stand for. */
    const routes: Record<string, () => Promise<[path: string, body: object, other: object]>> = {
      'POST /v1/refunds': async () => {
        const { id } = (await paid()).payment
        return ['/v1/refunds', { payment: id, amount: 5 }, { payment: id, amount: 6 }]
      },
      'POST /v1/refunds/{id}/settle': async () => {
        const { id } = (await refund({ payment: (await paid(provider)).payment.id })).body
        return [`/v1/refunds/${id}/settle`, { status: 'failed' }, { status: 'succeeded' }]
      },
      'POST /v1/disputes': async () => {
        const body = { payment: (await paid()).payment.id, provider_dispute_id: randomUUID() }
        return ['/v1/disputes', body, { ...body, reason: 'Other' }]
      },
      'POST /v1/disputes/{id}/close': async () => {
        const body = { payment: (await paid()).payment.id, provider_dispute_id: randomUUID() }
        const { id } = (await seller.post<WireDispute>('/v1/disputes', body)).body
        return [`/v1/disputes/${id}/close`, { status: 'won' }, { status: 'lost' }]
      },
      'POST /v1/orders/{id}/cancel': async () => {
        const { order } = (await paid(provider)).payment
        return [`/v1/orders/${present(order, 'the order')}/cancel`, {}, { reason: 'Other' }]
      },
      'POST /v1/payments/{id}/attach': async () => {
        const hold = await takeHold(seller, drop)
        const { id } = (await pay(seller, hold, { hold: unknownHold })).body
        return [`/v1/payments/${id}/attach`, { hold: hold.id }, { hold: unknownHold }]
      },
    }

    it.each(Object.entries(routes))('%s: again is the same answer, other facts are refused', async (_, make) => {
      const [path, body, other] = await make()
      const headers = { 'idempotency-key': `key ${randomUUID()}` }
      const first = await seller.post(path, body, headers)
      expect(first.status).toBeLessThan(300)
      expect(first.headers['idempotent-replayed']).toBeUndefined()
      for (const again of await Promise.all([1, 2, 3].map(() => seller.post(path, body, headers)))) {
        expect([again.status, again.text]).toEqual([first.status, first.text])
        expect(again.headers['idempotent-replayed']).toBe('true')
      }
      expectProblem(await seller.post(path, other, headers), 422, 'key_reused', null)
    })

    it('gives the answer as it was, whatever happened since', async () => {
      const { payment } = await paid(provider)
      const headers = { 'idempotency-key': randomUUID() }
      const body = { payment: payment.id }
      const first = expectStatus(await seller.post<WireRefund>('/v1/refunds', body, headers), 201)
      expectStatus(await seller.post(`/v1/refunds/${first.body.id}/settle`, { status: 'succeeded' }), 200)
      expect((await seller.post('/v1/refunds', body, headers)).text).toBe(first.text)
    })
  })
})
