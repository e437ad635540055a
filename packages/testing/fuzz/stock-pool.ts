import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Client } from '../client.ts'
import type { WireDrop, WireHold, WireList, WirePayment, WireWebhookEndpoint } from '../wire-types.ts'
import type { IdPool } from './id-pool.ts'

/** What a box needs for all of it: the webhook endpoint is on this machine. */
export const stockEnvironment = { PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1' }

/** A provider that settles its refunds later. */
const laterProvider = 'later'

/**
 * Makes objects that belong together and have come as far as requests of `operationId` want them, and pins their ids: a
 * live drop, an order with codes, a pending refund, an open dispute, money nobody knows the hold of, an unpaid hold, an
 * API key, and a webhook endpoint with a delivery. The last of a kind is pinned.
 */
export async function stockPool(seller: Client, pool: IdPool, operationId: string): Promise<void> {
  const shop = new Shop(seller, pool)
  await shop.open()
  // First: what it sells is not to be the pinned hold and payment.
  await shop.webhook()
  const refunded = await shop.pay(await shop.hold(), laterProvider)
  await shop.post('/v1/refunds', { payment: refunded.id, amount: 1 })
  const disputed = await shop.pay(await shop.hold())
  await shop.post('/v1/disputes', { payment: disputed.id, provider_dispute_id: disputed.id, amount: 1 })
  const order = async (): Promise<void> => {
    const { order: orderId } = await shop.pay(await shop.hold())
    await shop.get(`/v1/orders/${orderId}`)
  }
  const unmatched = async (): Promise<void> => {
    await shop.pay({ ...(await shop.hold()), id: `hold_${'0'.repeat(26)}` })
  }
  for (const make of operationId === 'attachPayment' ? [order, unmatched] : [unmatched, order]) await make()
  await shop.hold()
  await shop.post('/v1/api_keys', { kind: 'secret', name: 'Fuzz' })
}

/** Sells one drop, and pins everything it is answered. */
class Shop {
  readonly #seller: Client
  readonly #pool: IdPool
  #wanted: object = {}

  constructor(seller: Client, pool: IdPool) {
    this.#seller = seller
    this.#pool = pool
  }

  async open(): Promise<void> {
    const skus = [{ name: 'Fuzz', unit_amount: 1_000, stock: 1_000_000 }]
    const drop = await this.post<WireDrop>('/v1/drops', { name: 'Fuzz', currency: 'usd', skus })
    await this.post(`/v1/drops/${drop.id}/publish`)
    const lines = drop.skus.map((sku) => ({ sku: sku.id, quantity: 4 }))
    this.#wanted = { drop: drop.id, lines, customer: { email: 'fuzz@example.com' } }
  }

  hold(): Promise<WireHold> {
    return this.post<WireHold>('/v1/holds', this.#wanted)
  }

  pay({ id, amount, currency }: WireHold, provider = 'manual'): Promise<WirePayment> {
    const facts = { provider, provider_payment_id: crypto.randomUUID(), amount, currency }
    return this.post<WirePayment>('/v1/payments', { hold: id, ...facts })
  }

  /** An endpoint where nobody listens, with a delivery. There may be a few only. */
  async webhook(): Promise<void> {
    const path = '/v1/webhook_endpoints'
    const { data } = await this.get<WireList<WireWebhookEndpoint>>(path)
    for (const { id } of data) await this.#seller.delete(`${path}/${id}`)
    const { id } = await this.post<WireWebhookEndpoint>(path, {
      url: 'http://127.0.0.1:9/',
      events: ['payment.captured'],
    })
    await this.pay(await this.hold())
    const list = `/v1/webhook_deliveries?endpoint=${id}`
    while ((await this.get<WireList<unknown>>(list)).data.length === 0) await delay(10)
    await this.get(`${path}/${id}`)
  }

  async post<Body>(path: string, body: object = {}): Promise<Body> {
    return this.#pin(path, await this.#seller.post<Body>(path, body))
  }

  async get<Body>(path: string): Promise<Body> {
    return this.#pin(path, await this.#seller.get<Body>(path))
  }

  #pin<Body>(path: string, answer: Answer<Body>): Body {
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`)
    this.#pool.pin(answer)
    return answer.body
  }
}
