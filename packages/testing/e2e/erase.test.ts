import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { Program } from '../program.ts'
import { expectProblem } from './expect-problem.ts'
import { expectStatus, holdBody, openDrop, pay, readDrop, skuOf } from './shop.ts'
import type { WireHold, WireList, WireOrder } from '../wire-types.ts'

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

const customer = {
  email: 'Zenobia.Quill+drop@example.com',
  phone: '+49 221 987654',
  external_id: 'member-zq-77',
  name: 'Zenobia Quill',
  shipping_address: { line1: 'Fliederweg 9', city: 'Quakenbrück', country: 'DE' },
}
const personal = /quill|987654|member-zq|Fliederweg|Quakenbr/i

async function openBox() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'penstock-erase-'))
  const box = await Box.start({ dataFolder, httpProcesses: 2 })
  const session = { seq: 0 }
  const seller = new Client(box.url, box.secretKey, { session, check })
  const browser = new Client(box.url, box.publishableKey, { session, check })
  onTestFinished(() => {
    seller.close()
    browser.close()
    rmSync(dataFolder, { recursive: true, force: true })
  })
  return { box, seller, browser }
}

it('erasing an e-mail erases every hold and order with it, and nobody else, and may be repeated', async () => {
  const { box, seller } = await openBox()
  const drop = await openDrop(seller)
  const take = async (email: string): Promise<WireHold> =>
    expectStatus(await seller.post<WireHold>('/v1/holds', holdBody(drop, { customer: { ...customer, email } })), 201)
      .body
  const own = await Promise.all(Array.from({ length: 70 }, () => take('ada@example.com')))
  const other = await take('bob@example.com')
  const [paid] = own
  if (paid === undefined) throw new Error('no hold')
  const orderId = expectStatus(await pay(seller, paid), 201).body.order
  const erasures = '/v1/customer_erasures'
  const first = expectStatus(await seller.post(erasures, { email: 'ada@example.com' }), 200)
  const over = { object: 'customer_erasure', has_more: false, scanned_to: null }
  expect(first.body).toEqual({ ...over, erased: 70 })
  const again = expectStatus(await seller.post(erasures, { email: 'ada@example.com' }), 200)
  expect(again.body).toEqual({ ...over, erased: 0 })
  const older = { email: 'bob@example.com', starting_after: other.id }
  expect((await seller.post(erasures, older)).body).toEqual({ ...over, erased: 0 })

  const { body: left } = await seller.get<WireList<WireHold>>('/v1/holds?limit=100')
  expect(left.data.filter(({ customer: who }) => who !== null).map(({ id }) => id)).toEqual([other.id])
  expect((await seller.get(`/v1/orders/${orderId}`)).body).toMatchObject({ status: 'paid', customer: null })
  const byCommand = Program.start(
    'cli',
    ['customer', 'erase', 'bob@example.com', '--url', box.url, '--data', box.dataFolder],
    {},
  )
  expect((await byCommand.exited).code).toBe(0)
  expect(byCommand.output).toContain('erased the customer of 1 holds')
  expectProblem(await seller.post(erasures, {}), 400, 'invalid_request', 'email')
  expectProblem(await seller.post(erasures, { email: 'ada' }), 400, 'invalid_request', 'email')
  expectProblem(
    await seller.post(erasures, { email: 'a@b', starting_after: 'x' }),
    400,
    'invalid_request',
    'starting_after',
  )
  await box.stop()
})

it('erasing an order and a hold leaves no trace of the buyer, and the limit counts on', async () => {
  const { box, seller, browser } = await openBox()
  const drop = await openDrop(seller, { max_per_customer: 2 })
  const take = (key: string) =>
    browser.post<WireHold>('/v1/holds', holdBody(drop, { customer }), { 'idempotency-key': key })
  const released = expectStatus(await take('first'), 201).body
  const secret = { 'penstock-client-secret': released.client_secret, 'idempotency-key': 'release' }
  expectStatus(await browser.delete(`/v1/holds/${released.id}`, secret), 200)
  const bought = expectStatus(await take('second'), 201).body
  const active = expectStatus(await take('third'), 201).body
  const orderId = expectStatus(await pay(seller, bought), 201).body.order
  const { codes, ...order } = (await seller.get<WireOrder>(`/v1/orders/${orderId}`)).body
  expect(JSON.stringify(order)).toMatch(personal)

  const erased = expectStatus(await seller.post<WireOrder>(`/v1/orders/${orderId}/erase`), 200)
  expect(erased.body).toEqual({ ...order, customer: null })
  expect((await seller.get(`/v1/orders/${orderId}`)).body).toEqual({ ...order, codes, customer: null })
  expect((await seller.post(`/v1/orders/${orderId}/erase`)).text).toBe(erased.text)
  for (const hold of [active, released]) {
    const answer = expectStatus(await seller.post<WireHold>(`/v1/holds/${hold.id}/erase`), 200)
    expect(answer.body).toMatchObject({ id: hold.id, amount: hold.amount, customer: null })
  }
  // A browser sees the same.
  const own = { 'penstock-client-secret': active.client_secret }
  expect((await browser.get(`/v1/holds/${active.id}`, own)).body).toMatchObject({ status: 'active', customer: null })
  expect((await browser.delete(`/v1/holds/${released.id}`, secret)).body).toMatchObject({
    status: 'released',
    customer: null,
  })

  // Lists still have what they bought, and do not find them.
  const list = async (path: string) => expectStatus(await seller.get<WireList<WireOrder>>(path), 200).body.data
  expect(await list(`/v1/orders?drop=${drop.id}`)).toEqual([{ ...order, customer: null }])
  for (const filter of [`customer_email=${encodeURIComponent(customer.email)}`, 'q=quill', 'q=987654', 'q=countedIn']) {
    expect(await list(`/v1/orders?${filter}`)).toEqual([])
    expect(await list(`/v1/holds?${filter}&status=released`)).toEqual([])
  }
  const authorization = `Bearer ${box.secretKey}`
  const csv = await (await fetch(`${box.url}/v1/exports/orders`, { headers: { authorization } })).text()
  expect(csv.split('\r\n')[1]).toMatch(new RegExp(`^${order.id},paid,.*,${order.payment},{10}$`))

  // What the buyer has still counts, under each key; what goes back does not.
  for (const key of [{ email: 'zenobia.quill@example.com' }, { email: 'x@y', phone: '0049 221 987654' }]) {
    const answer = await browser.post('/v1/holds', holdBody(drop, { customer: key }))
    expectProblem(answer, 409, 'limit_reached', 'lines')
  }
  expect((await pay(seller, active)).body).toMatchObject({ status: 'captured' })
  expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 2 })
  expect(auditDatabase(box.databasePath)).toEqual([])

  await box.stop()
  expect(readFileSync(box.databasePath, 'latin1')).not.toMatch(personal)
})

it('erasing what does not exist is refused', async () => {
  const { box, seller, browser } = await openBox()
  for (const path of ['holds/hold_00000000000000000000000000', 'orders/ord_00000000000000000000000000', 'orders/x']) {
    expectProblem(await seller.post(`/v1/${path}/erase`), 404, 'not_found', 'id')
    expectProblem(await browser.post(`/v1/${path}/erase`), 403, 'forbidden', null)
  }
  await box.stop()
})
