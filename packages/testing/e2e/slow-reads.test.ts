import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectProblem } from './expect-problem.ts'
import { expectStatus, openDrop, pay, present, takeHold } from './shop.ts'
import type { WireDispute, WireDrop, WireEvent, WireHold, WireList, WirePayment, WireRefund } from '../wire-types.ts'

type Item = Readonly<Record<string, unknown>> & { readonly id: string }

describe.each(['uws', 'node'] as const)('slow reads on %s', (transport) => {
  let box: Box
  let seller: Client
  let browser: Client
  let drop: WireDrop
  const holds: WireHold[] = []
  const payments: WirePayment[] = []

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 1 })
    const session = { seq: 0 }
    seller = new Client(box.url, box.secretKey, { session })
    browser = new Client(box.url, box.publishableKey, { session })
    await openDrop(seller, { name: 'Other drop' })
    drop = await openDrop(seller)
    for (let count = 0; count < 6; count++) {
      const hold = await takeHold(seller, drop)
      holds.unshift(hold)
      if (count % 2 === 0) continue
      const amount = count === 5 ? 1 : hold.amount
      payments.unshift(expectStatus(await pay(seller, hold, { amount }), 201).body)
    }
  })
  afterAll(async () => {
    seller.close()
    browser.close()
    await box.stop()
  })

  const list = async (path: string): Promise<WireList<Item>> =>
    expectStatus(await seller.get<WireList<Item>>(path), 200).body
  const ids = async (path: string): Promise<string[]> => (await list(path)).data.map(({ id }) => id)
  const download = (path: string, key = box.secretKey): Promise<Response> =>
    fetch(`${box.url}${path}`, { headers: { authorization: `Bearer ${key}` } })

  it('lists find what was just written', async () => {
    expect(await ids('/v1/holds')).toEqual(holds.map(({ id }) => id))
    expect((await list('/v1/holds?limit=1')).data[0]).toStrictEqual(
      (await seller.get(`/v1/holds/${holds[0]?.id}`)).body,
    )
    expect((await list('/v1/payments')).data).toStrictEqual(payments)
    expect(await ids('/v1/payments?status=refund_due')).toEqual([payments[0]?.id])
    const order = present(payments[1]?.order, 'the order')
    expect(await ids(`/v1/orders?payment=${payments[1]?.id}`)).toEqual([order])
    expect(await ids(`/v1/payments?order=${order}`)).toEqual([payments[1]?.id])
    const email = String(holds[2]?.customer?.['email'])
    expect(await ids(`/v1/holds?customer_email=${email.toUpperCase()}&drop=${drop.id}`)).toEqual([holds[2]?.id])
    expect(await ids(`/v1/holds?q=${email}`)).toEqual([holds[2]?.id])
    expect(await ids('/v1/drops?q=OTHER')).toHaveLength(1)
    expect((await list(`/v1/ledger/entries?payment=${payments[0]?.id}`)).data).toStrictEqual([
      {
        id: 'le_3',
        object: 'ledger_entry',
        payment: payments[0]?.id,
        cause: null,
        debit: 'cash:manual',
        credit: 'refunds_due',
        amount: 1,
        currency: 'usd',
        created: payments[0]?.created,
      },
    ])
  })

  it('lists find refunds, disputes and what happened', async () => {
    const [due, paid] = [present(payments[0], 'a payment'), present(payments[1], 'a payment')]
    const refund = async (payment: WirePayment, fields: object) =>
      expectStatus(await seller.post<WireRefund>('/v1/refunds', { payment: payment.id, ...fields }), 201).body
    const refunds = [await refund(due, {}), await refund(paid, { amount: 9 })].toReversed()
    const fields = { payment: paid.id, provider_dispute_id: 'dp_1', amount: 1 }
    const dispute = expectStatus(await seller.post<WireDispute>('/v1/disputes', fields), 201).body
    expect((await list('/v1/refunds')).data).toStrictEqual(refunds)
    expect(await ids(`/v1/refunds?order=${paid.order}&status=succeeded`)).toEqual([refunds[0]?.id])
    expect(await ids(`/v1/refunds?payment=${due.id}`)).toEqual([refunds[1]?.id])
    expect(await ids('/v1/refunds?status=pending')).toEqual([])
    expect((await list(`/v1/disputes?payment=${paid.id}&status=open`)).data).toStrictEqual([dispute])
    expect(await ids(`/v1/disputes?payment=${due.id}`)).toEqual([])
    expect(await ids('/v1/payments?status=disputed')).toEqual([paid.id])
    expect(await ids('/v1/payments?status=refunded')).toEqual([due.id])
    expect(await ids('/v1/payments?status=refund_due')).toEqual([])
    expect(await ids('/v1/orders?status=partially_refunded')).toEqual([paid.order])
    expect((await list(`/v1/ledger/entries?payment=${paid.id}&limit=1`)).data).toMatchObject([{ cause: dispute.id }])
    const events = expectStatus(await seller.get<WireList<WireEvent>>('/v1/events?limit=2'), 200).body
    const [last] = events.data
    expect(last).toStrictEqual({
      id: `evt_${last?.seq}`,
      object: 'event',
      seq: last?.seq,
      type: 'dispute.created',
      object_id: dispute.id,
      created: dispute.created,
    })
    expect(await ids(`/v1/events?starting_after=${last?.id}&limit=1`)).toEqual([events.data[1]?.id])
    expect(await ids(`/v1/events?object_id=${dispute.id}`)).toEqual([last?.id])
    expect(await ids('/v1/events?type=payment.refund_due')).toHaveLength(1)
  })

  it('lists end at their cursors', async () => {
    const page = await list(`/v1/holds?limit=2&starting_after=${holds[3]?.id}`)
    expect(page).toMatchObject({ has_more: false, data: [{ id: holds[4]?.id }, { id: holds[5]?.id }] })
    expect(page).not.toHaveProperty('scanned_to')
    expect(await ids(`/v1/holds?limit=2&ending_before=${holds[3]?.id}`)).toEqual([holds[1]?.id, holds[2]?.id])
    expectProblem(await seller.get('/v1/holds?starting_after=hold_1'), 400, 'invalid_request', 'starting_after')
  })

  it.each(['holds', 'payments', 'orders', 'refunds', 'ledger_entries', 'events'])(
    'exports of %s are what the list shows',
    async (name) => {
      const path = name === 'ledger_entries' ? '/v1/ledger/entries' : `/v1/${name}`
      const { data } = await list(`${path}?limit=100`)
      expect(data.length).toBeGreaterThan(1)
      const ndjson = await download(`/v1/exports/${name}?format=ndjson`)
      expect(ndjson.status).toBe(200)
      const lines = (await ndjson.text()).trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line) as unknown)).toStrictEqual(data)
      const csv = await download(`/v1/exports/${name}`)
      expect(csv.headers.get('content-disposition')).toMatch(new RegExp(`filename="${name}-.*\\.csv"`))
      const rows = (await csv.text()).split('\r\n').slice(1, -1)
      expect(rows.map((row) => row.split(',')[0])).toEqual(data.map(({ id }) => id))
    },
  )

  it('need a secret key', async () => {
    for (const name of ['holds', 'payments', 'refunds', 'disputes', 'ledger/entries', 'events', 'exports/refunds']) {
      expectProblem(await browser.get(`/v1/${name}`), 403, 'forbidden', null)
    }
    expectProblem(await seller.get('/v1/exports/secrets'), 404, 'route_not_found', null)
    expectProblem(await seller.post('/v1/exports/orders'), 405, 'method_not_allowed', null)
  })

  it('go on while sales do, and a writer that is killed does not stop them', async () => {
    const reading = Promise.all(Array.from({ length: 20 }, () => ids('/v1/holds?limit=100&q=@example.com')))
    const hold = await takeHold(seller, drop)
    for (const found of await reading) expect(holds.every(({ id }) => found.includes(id))).toBe(true)
    await box.killWriter()
    expect(await ids('/v1/holds?limit=1')).toEqual([hold.id])
  })
})
