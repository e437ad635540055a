import { afterAll, beforeAll, expect, it } from 'vitest'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectProblem } from './expect-problem.ts'
import { createDrop, expectStatus, minimalDrop, newEmail, openDrop, pay, readDrop, skuOf, takeHold } from './shop.ts'
import type { WireDrop, WireHold, WireOrder } from '../wire-types.ts'

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

let box: Box
let seller: Client

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 1 })
  seller = new Client(box.url, box.secretKey, { check })
})

afterAll(async () => {
  seller.close()
  await box.stop()
})

const parcel = { name: 'Parcel', kind: 'shipping', amount: 499 }
const vat = { name: 'VAT', kind: 'tax', basis_points: 1_900 }

it('fees of a drop are part of the hold, the order and the ledger', async () => {
  const drop = await openDrop(seller, { fees: [parcel, vat] })
  expect(await readDrop(seller, drop.id)).toMatchObject({ fees: [parcel, vat] })
  const hold = await takeHold(seller, drop, 2)
  // 19 % of 99.98 is 18.9962.
  const fees = [parcel, { name: 'VAT', kind: 'tax', amount: 1_900 }]
  expect(hold).toMatchObject({ fees, amount: 9_998 + 499 + 1_900 })
  expect((await pay(seller, hold, { amount: 9_998 })).body).toMatchObject({ reason: 'amount_mismatch' })
  const { body: payment } = expectStatus(await pay(seller, hold), 201)
  expect(payment).toMatchObject({ status: 'captured', amount: hold.amount })
  expect((await seller.get<WireHold>(`/v1/holds/${hold.id}`)).body).toEqual({ ...hold, status: 'captured' })
  const order = expectStatus(await seller.get<WireOrder>(`/v1/orders/${payment.order}`), 200)
  expect(order.body).toMatchObject({ fees, amount: hold.amount })
  const db = openReader(box.databasePath)
  const entries = db.prepare('SELECT credit, amount FROM ledger_entry WHERE payment_id = ? ORDER BY seq').raw()
  expect(entries.all(payment.id)).toEqual([
    ['sales', 9_998],
    ['fees:shipping', 499],
    ['fees:tax', 1_900],
  ])
  db.close()
  expect(auditDatabase(box.databasePath)).toEqual([])
})

it('fees that change apply to new holds only', async () => {
  const drop = await openDrop(seller, { fees: [parcel] })
  const before = await takeHold(seller, drop)
  expectStatus(await seller.patch(`/v1/drops/${drop.id}`, { fees: [] }), 200)
  expect([before.amount, (await takeHold(seller, drop)).amount]).toEqual([5_498, 4_999])
  expect((await pay(seller, before)).body).toMatchObject({ status: 'captured' })
})

it.each([
  ['neither amount nor basis_points', [parcel, { name: 'x', kind: 'tax' }], 'fees[1]'],
  ['both', [{ ...parcel, basis_points: 1 }], 'fees[0]'],
  ['another kind', [{ ...parcel, kind: 'tip' }], 'fees[0].kind'],
  ['more than everything', [{ ...vat, basis_points: 10_001 }], 'fees[0].basis_points'],
  ['nine of them', Array.from({ length: 9 }, () => parcel), 'fees'],
])('fees with %s are refused by name, in a new drop and in a change', async (_, fees, param) => {
  expectProblem(await seller.post('/v1/drops', { ...minimalDrop, fees }), 400, 'invalid_request', param)
  const drop = await createDrop(seller)
  expectProblem(await seller.patch<WireDrop>(`/v1/drops/${drop.id}`, { fees }), 400, 'invalid_request', param)
})

it('max_per_order of a SKU bounds one hold over all its lines, and can be changed and taken away', async () => {
  const drop = await openDrop(seller, { skus: [{ name: 'A', unit_amount: 5, stock: 9, max_per_order: 2 }] })
  const { id, max_per_order: limit } = skuOf(drop)
  expect(limit).toBe(2)
  const take = (...quantities: number[]) =>
    seller.post<WireHold>('/v1/holds', {
      drop: drop.id,
      lines: quantities.map((quantity) => ({ sku: id, quantity })),
      customer: { email: newEmail() },
    })
  expectStatus(await take(2), 201)
  expectStatus(await take(1, 1), 201)
  expectProblem(await take(3), 409, 'limit_reached', 'lines[0].quantity')
  expectProblem(await take(1, 2), 409, 'limit_reached', 'lines[0].quantity')
  const change = async (fields: object): Promise<WireDrop> =>
    expectStatus(await seller.patch<WireDrop>(`/v1/drops/${drop.id}`, { skus: [{ id, ...fields }] }), 200).body
  expect(skuOf(await change({ name: 'B' }))).toMatchObject({ name: 'B', max_per_order: 2 })
  expect(skuOf(await change({ max_per_order: null }))).toMatchObject({ max_per_order: null })
  expectStatus(await take(3), 201)
  expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ max_per_order: null, held: 7 })
})
