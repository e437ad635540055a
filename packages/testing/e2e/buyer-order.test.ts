import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectProblem } from './expect-problem.ts'
import { expectStatus, openDrop, pay, present, takeHold } from './shop.ts'
import type { WireOrder } from '../wire-types.ts'

/** A buyer and their order: the client secret of the hold opens it, and nothing else that a browser has. */

const secretHeader = 'Penstock-Client-Secret'

let box: Box
let seller: Client
let browser: Client

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 2 })
  seller = new Client(box.url, box.secretKey)
  browser = new Client(box.url, box.publishableKey)
})
afterAll(async () => {
  for (const client of [seller, browser]) client.close()
  await box.stop()
})

async function buy() {
  const hold = await takeHold(seller, await openDrop(seller), 2)
  const { body, headers } = expectStatus(await pay(seller, hold), 201)
  const seen = { 'penstock-min-seq': String(headers['penstock-seq']) }
  return { hold, seen, path: `/v1/orders/${present(body.order, 'the order')}` }
}

it('a buyer reads their order and its codes with the client secret of the hold', async () => {
  const { hold, seen, path } = await buy()
  const headers = { ...seen, [secretHeader]: hold.client_secret }
  const { body } = expectStatus(await browser.get<WireOrder>(path, headers), 200)
  expect(body).toMatchObject({ status: 'paid', hold: hold.id, codes: [{ status: 'valid' }, { status: 'valid' }] })
  expect(Object.keys(body.customer ?? {})).toEqual(['email', 'phone', 'external_id'])
})

it('an order is refused without the secret of its own hold', async () => {
  const { seen, path } = await buy()
  const other = await buy()
  expectProblem(await browser.get(path, seen), 403, 'invalid_client_secret', secretHeader)
  const wrong = { ...other.seen, [secretHeader]: other.hold.client_secret }
  expectProblem(await browser.get(path, wrong), 403, 'invalid_client_secret', secretHeader)
  const unknown = '/v1/orders/ord_00000000000000000000000000'
  expectProblem(await browser.get(unknown, wrong), 404, 'not_found', 'id')
  expectProblem(await browser.get('/v1/orders', wrong), 403, 'forbidden', null)
})
