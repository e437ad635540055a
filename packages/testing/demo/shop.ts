import { ShopClient } from './shop-client.ts'
import type { Answer } from './shop-client.ts'
import type { Tally } from './tally.ts'

export interface ShopKeys {
  readonly secretKey: string
  readonly publishableKey: string
}

export interface Stock {
  readonly stock: number
  readonly held: number
  readonly sold: number
  readonly available: number
}

export interface OpenHold {
  readonly id: string
  readonly amount: number
  readonly expiresMs: number
  readonly clientSecret: string
}

/** The one drop of the demo, as buyers (publishable key) and the seller's payment page (secret key) see it. */
export class Shop {
  readonly #client: ShopClient
  readonly #keys: ShopKeys
  readonly #tally: Tally
  readonly #dropId: string
  readonly #skuId: string

  private constructor(client: ShopClient, keys: ShopKeys, tally: Tally, dropId: string, skuId: string) {
    this.#client = client
    this.#keys = keys
    this.#tally = tally
    this.#dropId = dropId
    this.#skuId = skuId
  }

  /** Makes the drop and opens the sale. */
  static async open(
    url: string,
    keys: ShopKeys,
    tally: Tally,
    { stock, connections, holdTtlSeconds }: { stock: number; connections: number; holdTtlSeconds: number },
  ): Promise<Shop> {
    const client = new ShopClient(url, connections, tally)
    const drop = await client.call({
      kind: 'read',
      method: 'POST',
      path: '/v1/drops',
      key: keys.secretKey,
      body: {
        name: 'A limited drop',
        currency: 'usd',
        hold_ttl: holdTtlSeconds,
        max_per_customer: 2,
        late_payment: 'reacquire',
        skus: [{ name: 'One size', unit_amount: 4_999, stock }],
      },
    })
    const dropId = text(drop, 'id')
    const [sku] = drop.json['skus'] as { id: string }[]
    if (drop.status !== 201 || sku === undefined) throw new Error(`the drop was refused: ${JSON.stringify(drop.json)}`)
    const published = await client.call({
      kind: 'read',
      method: 'POST',
      path: `/v1/drops/${dropId}/publish`,
      key: keys.secretKey,
      body: {},
    })
    if (published.status !== 200) throw new Error(`publishing was refused: ${JSON.stringify(published.json)}`)
    // The seller's two requests are not the crowd's.
    tally.latency.read.reset()
    return new Shop(client, keys, tally, dropId, sku.id)
  }

  close(): void {
    this.#client.close()
  }

  async readStock(): Promise<Stock> {
    const answer = await this.#client.call({
      kind: 'read',
      method: 'GET',
      path: `/v1/drops/${this.#dropId}`,
      key: this.#keys.publishableKey,
    })
    const [sku] = (answer.json['skus'] ?? []) as Stock[]
    if (answer.status !== 200 || sku === undefined) throw new Error(`the drop cannot be read: ${answer.status}`)
    return sku
  }

  /** Null when refused; the reason is in the tally. */
  async hold(email: string, quantity: number, idempotencyKey: string): Promise<OpenHold | null> {
    const answer = await this.#client.call({
      kind: 'hold',
      method: 'POST',
      path: '/v1/holds',
      key: this.#keys.publishableKey,
      idempotencyKey,
      body: { drop: this.#dropId, lines: [{ sku: this.#skuId, quantity }], customer: { email } },
    })
    if (answer.status !== 201) {
      this.#tally.refuse(text(answer, 'code'))
      return null
    }
    const id = text(answer, 'id')
    this.#tally.hold(id, quantity)
    return {
      id,
      amount: Number(answer.json['amount']),
      expiresMs: Number(answer.json['expires_at']) * 1_000,
      clientSecret: text(answer, 'client_secret'),
    }
  }

  async release(hold: OpenHold, idempotencyKey: string): Promise<void> {
    const answer = await this.#client.call({
      kind: 'release',
      method: 'DELETE',
      path: `/v1/holds/${hold.id}`,
      key: this.#keys.publishableKey,
      idempotencyKey,
      clientSecret: hold.clientSecret,
    })
    if (answer.status === 200) this.#tally.released.add(hold.id)
    else this.#tally.refuse(text(answer, 'code'))
  }

  /** `reference` is the payment id of the provider. */
  async pay(holdId: string, amount: number, reference: string, idempotencyKey: string): Promise<void> {
    const answer = await this.#client.call({
      kind: 'pay',
      method: 'POST',
      path: '/v1/payments',
      key: this.#keys.secretKey,
      idempotencyKey,
      body: { hold: holdId, provider: 'demo', provider_payment_id: reference, amount, currency: 'usd' },
    })
    if (answer.status !== 201 && answer.status !== 200) {
      this.#tally.refuse(text(answer, 'code'))
      return
    }
    const order = answer.json['order']
    this.#tally.payment(text(answer, 'id'), {
      status: text(answer, 'status'),
      order: typeof order === 'string' ? order : null,
      amount: Number(answer.json['amount']),
    })
  }
}

function text({ json }: Answer, field: string): string {
  const value = json[field]
  if (typeof value !== 'string') throw new Error(`the answer has no ${field}: ${JSON.stringify(json)}`)
  return value
}
