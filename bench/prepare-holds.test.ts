import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { prepareHolds, strideOf } from './prepare-holds.ts'
import { Sale } from './sale.ts'
import type { AddressInfo } from 'node:net'

type Reaction = 'answer' | 'chunks' | 'close'

/** `react`: called for each request with its number, from 1 on. */
async function prepare(count: number, react: (asked: number) => Reaction): Promise<string[]> {
  let asked = 0
  const server = createServer(({ socket }, response) => {
    asked += 1
    response.statusCode = 201
    const reaction = react(asked)
    if (reaction === 'close') return void socket.end()
    if (reaction === 'chunks') response.write(' ')
    response.end(`{"id":"hold_${asked}"}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const facts = { secretKey: 'sk', publishableKey: 'pk', dropId: 'drop', skuId: 'sku', webhookSecret: null }
  const parking = { method: 'GET', path: '/', headers: {}, body: null } as const
  const sale = new Sale({ url: `http://127.0.0.1:${port}`, parking, ...facts })
  return prepareHolds(sale, count, () => undefined, new AbortController().signal)
}

test('prepareHolds resolves with the ids of all holds', async () => {
  expect(new Set(await prepare(200, () => 'answer')).size).toBe(200)
})

test('prepareHolds rejects when the server closes a connection with a hold under way', async () => {
  await expect(prepare(200, (asked) => (asked === 150 ? 'close' : 'answer'))).rejects.toThrow('closed a connection')
})

test('prepareHolds rejects when an answer cannot be read', async () => {
  await expect(prepare(200, (asked) => (asked === 150 ? 'chunks' : 'answer'))).rejects.toThrow('in chunks')
})

test.each([1, 2, 3, 64, 10_000, 20_000, 99_991])('strideOf visits each of %d sales once', (count) => {
  const stride = strideOf(count)
  expect(new Set(Array.from({ length: count }, (_, at) => (at * stride) % count)).size).toBe(count)
})

test('strideOf keeps the sales of a batch apart', () => {
  const batch = Array.from({ length: 30 }, (_, at) => (at * strideOf(10_000)) % 10_000).toSorted((a, b) => a - b)
  expect(Math.min(...batch.slice(1).map((place, at) => place - (batch[at] ?? 0)))).toBeGreaterThan(100)
})
