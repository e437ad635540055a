import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectProblem } from './expect-problem.ts'
import { expectStatus, footprint, newEmail, nowSeconds, openDrop, pay, present } from './shop.ts'
import type { Answer } from '../client.ts'
import type { WireCode, WireHold, WireOrder } from '../wire-types.ts'

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

let box: Box
let seller: Client
let browser: Client

beforeAll(async () => {
  box = await Box.start({ httpProcesses: 2 })
  const session = { seq: 0 }
  seller = new Client(box.url, box.secretKey, { session, check })
  browser = new Client(box.url, box.publishableKey, { session, check })
})

afterAll(async () => {
  seller.close()
  browser.close()
  await box.stop()
})

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

interface Sold {
  readonly hold: WireHold
  readonly orderId: string
}

/** An order of two units of one SKU and one of another. */
async function sell(): Promise<Sold> {
  const skus = ['A', 'B'].map((name) => ({ name, unit_amount: 100, stock: 10 }))
  const drop = await openDrop(seller, { skus })
  const lines = drop.skus.map(({ id }, index) => ({ sku: id, quantity: 2 - index }))
  const body = { drop: drop.id, lines, customer: { email: newEmail() } }
  const hold = expectStatus(await browser.post<WireHold>('/v1/holds', body), 201).body
  const payment = expectStatus(await pay(seller, hold), 201).body
  return { hold, orderId: present(payment.order, 'the order') }
}

async function codesOf(orderId: string): Promise<readonly WireCode[]> {
  const order = expectStatus(await seller.get<WireOrder>(`/v1/orders/${orderId}`), 200).body
  return present(order.codes, 'the codes')
}

const verify = (code: string, client = seller): Promise<Answer<Record<string, unknown>>> =>
  client.post(`/v1/codes/${code}/verify`)

/** The code of a unit, as the buyer can compute it. 80 bits as one integer, five at a time: another way than the server's. */
function codeOf({ hold, orderId }: Sold, unit: number): string {
  const mac = createHmac('sha256', hold.client_secret).update(`${orderId} ${unit}`).digest().subarray(0, 10)
  let bits = BigInt(`0x${mac.toString('hex')}`)
  let text = ''
  for (let count = 0; count < 16; count++, bits >>= 5n) text = alphabet.charAt(Number(bits & 31n)) + text
  return `pc_${orderId.slice(4)}_${unit}_${text}`
}

it('codes are one per unit, in order, derived from the order and the secret of its hold', async () => {
  const sold = await sell()
  const expected = [0, 0, 1].map((line, unit) => ({
    code: codeOf(sold, unit),
    sku: sold.hold.lines[line]?.sku,
    status: 'valid',
    used_at: null,
  }))
  expect(await codesOf(sold.orderId)).toEqual(expected)
})

it('a code is used once; the second time says when', async () => {
  const { orderId } = await sell()
  const [first, second] = await codesOf(orderId)
  const { code, sku } = present(first, 'the first code')
  const used = await verify(code)
  const usedAt: unknown = used.body['used_at']
  expect(used).toMatchObject({
    status: 200,
    body: { object: 'code', code, order: orderId, sku, status: 'used', used_at: usedAt },
  })
  expect(Math.abs(Number(usedAt) - nowSeconds())).toBeLessThan(60)
  const again = await verify(code)
  expectProblem(again, 409, 'code_used', 'code')
  expect(again.text).toContain(`at ${String(usedAt)}`)
  expect(await codesOf(orderId)).toMatchObject([
    { status: 'used', used_at: usedAt },
    { code: second?.code, status: 'valid', used_at: null },
    { status: 'valid' },
  ])
})

it('of many copies at once, one wins; its key gives it the same answer again', async () => {
  const { orderId } = await sell()
  const { code } = present((await codesOf(orderId))[2], 'the last code')
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      seller.post(`/v1/codes/${code}/verify`, {}, { 'idempotency-key': `${code} ${index}` }),
    ),
  )
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(49)
  const winner = answers.findIndex(({ status }) => status === 200)
  const replay = await seller.post(`/v1/codes/${code}/verify`, {}, { 'idempotency-key': `${code} ${winner}` })
  expect([replay.status, replay.text]).toEqual([200, answers[winner]?.text])
  expect(replay.headers['idempotent-replayed']).toBe('true')
})

it('an unknown order, a unit it does not have and a wrong mac get the same 404, and write nothing', async () => {
  const [one, other] = [await sell(), await sell()]
  const [code = ''] = (await codesOf(one.orderId)).map((row) => row.code)
  const [foreign = ''] = (await codesOf(other.orderId)).map((row) => row.code)
  const mac = code.slice(-16)
  const flipped = `${code.slice(0, -1)}${code.endsWith('0') ? '1' : '0'}`
  const before = footprint(box.databasePath)
  const wrong = [
    flipped,
    `${foreign.slice(0, -16)}${mac}`,
    code.replace('_0_', '_1_'),
    code.replace('_0_', '_3_'),
    codeOf(one, 3),
    `pc_00000000000000000000000000_0_${mac}`,
    'pc_',
    'hold_1',
    `${code}0`,
    code.toUpperCase(),
  ]
  const texts = new Set<unknown>()
  for (const text of wrong) {
    const answer = await verify(text)
    expectProblem(answer, 404, 'not_found', 'code')
    texts.add(answer.body['detail'])
  }
  expect([...texts]).toEqual(['There is no such code.'])
  expect(footprint(box.databasePath)).toEqual(before)
  expectProblem(await verify(code, browser), 403, 'forbidden', null)
  expectStatus(await verify(code), 200)
})
