import { Box } from '@penstock/testing/box.ts'
import { EmptyServers } from './empty-servers.ts'
import { readDatabase } from './row-counts.ts'
import type { RequestTemplate } from './generators/generator.ts'
import type { DatabaseState } from './row-counts.ts'

/** Long enough that no hold expires while it is measured. */
const holdTtlSeconds = 86_400
const stock = 100_000_000
export const unitAmount = 4_999

/** What is measured: a box in a temporary folder with one drop that is for sale, and the empty servers beside it. */
export class Lab {
  readonly box: Box
  readonly empty: EmptyServers | null
  readonly dropId: string
  readonly skuId: string
  #numbersTaken = 0

  private constructor(box: Box, empty: EmptyServers | null, dropId: string, skuId: string) {
    this.box = box
    this.empty = empty
    this.dropId = dropId
    this.skuId = skuId
  }

  static async open(httpProcesses: number, withEmpty: boolean): Promise<Lab> {
    const box = await Box.start({ httpProcesses, environment: { PENSTOCK_RATE_LIMIT: 'off' } })
    try {
      // The writer refuses to run below FULL; this makes sure that it still does.
      if (!box.output.includes('synchronous FULL')) throw new Error(`the writer does not say FULL:\n${box.output}`)
      const { dropId, skuId } = await publishDrop(box)
      return new Lab(box, withEmpty ? await EmptyServers.start(httpProcesses) : null, dropId, skuId)
    } catch (error) {
      await box.stop()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.empty?.stop()
    await this.box.stop()
  }

  readDatabase(): DatabaseState {
    return readDatabase(this.box.databasePath)
  }

  /** The first of `count` numbers that no buyer had yet. */
  takeNumbers(count: number): number {
    this.#numbersTaken += count
    return this.#numbersTaken - count
  }

  /** A hold of one unit by the buyer with the number `{token}`. */
  get holdRequest(): RequestTemplate {
    return {
      method: 'POST',
      path: '/v1/holds',
      headers: { Authorization: `Bearer ${this.box.publishableKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        drop: this.dropId,
        lines: [{ sku: this.skuId, quantity: 1 }],
        customer: { email: 'buyer{token}@bench.test' },
      }),
    }
  }

  /** Waits for a commit that is far away, which the server gives up after 2 s. See Variation.parking. */
  get parkingRequest(): RequestTemplate {
    return {
      method: 'GET',
      path: '/v1/drops',
      headers: { Authorization: `Bearer ${this.box.publishableKey}`, 'Penstock-Min-Seq': '999999999999999' },
      body: null,
    }
  }
}

async function publishDrop(box: Box): Promise<{ dropId: string; skuId: string }> {
  const drop = await post(box, '/v1/drops', {
    name: 'Bench',
    currency: 'usd',
    hold_ttl: holdTtlSeconds,
    max_per_customer: 2,
    skus: [{ name: 'One size', unit_amount: unitAmount, stock }],
  })
  await post(box, `/v1/drops/${drop.id}/publish`, {})
  const [sku] = drop.skus
  if (sku === undefined) throw new Error('the drop has no SKU')
  return { dropId: drop.id, skuId: sku.id }
}

async function post(box: Box, path: string, body: object): Promise<{ id: string; skus: { id: string }[] }> {
  const response = await fetch(box.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${box.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const json = await response.json()
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(json)}`)
  return json as { id: string; skus: { id: string }[] }
}
