import { Box } from '@penstock/testing/box.ts'
import { auditData } from './audit.ts'
import { askCommitCounts } from './commit-counts.ts'
import { EmptyServers } from './empty-servers.ts'
import { readDatabase } from './row-counts.ts'
import { Sale, unitAmount } from './sale.ts'
import type { BoxOptions } from '@penstock/testing/box.ts'
import type { CommitCounts } from './commit-counts.ts'
import type { DatabaseState } from './row-counts.ts'
import type { RequestTemplate } from './generators/plan.ts'

/** Long enough that no hold expires while it is measured. */
const holdTtlSeconds = 86_400
const stockEnough = 100_000_000
const webhookSecret = 'whsec_bench_0123456789abcdef0123'

export interface LabOptions {
  readonly httpProcesses: number
  /** Beside the box, for comparison. */
  readonly withEmpty?: boolean
  readonly transport?: BoxOptions['transport']
  /** For its processes, beside what every lab has. */
  readonly environment?: BoxOptions['environment']
  /** An existing data folder, which is kept. */
  readonly dataFolder?: string
  /** The sale that is in `dataFolder` already. */
  readonly sale?: { readonly dropId: string; readonly skuId: string }
}

/** What is measured: a box in a temporary folder with one drop that is for sale, and the empty servers beside it. */
export class Lab {
  readonly box: Box
  readonly empty: EmptyServers | null
  readonly sale: Sale

  private constructor(box: Box, empty: EmptyServers | null, sale: Sale) {
    this.box = box
    this.empty = empty
    this.sale = sale
  }

  static async open(options: LabOptions): Promise<Lab> {
    const { httpProcesses, transport, dataFolder, environment } = options
    const box = await Box.start({
      httpProcesses,
      environment: { PENSTOCK_RATE_LIMIT: 'off', STRIPE_WEBHOOK_SECRET: webhookSecret, ...environment },
      ...(transport === undefined ? {} : { transport }),
      ...(dataFolder === undefined ? {} : { dataFolder }),
    })
    try {
      // The writer refuses to run below FULL; this makes sure that it still does.
      if (!box.output.includes('synchronous FULL')) throw new Error(`the writer does not say FULL:\n${box.output}`)
      const { secretKey, publishableKey } = box
      const ids = options.sale ?? (await publishDrop(box, stockEnough))
      const facts = { url: box.url, secretKey, publishableKey, parking: parkingRequest(box), webhookSecret }
      const sale = new Sale({ ...facts, ...ids })
      return new Lab(box, options.withEmpty === true ? await EmptyServers.start(httpProcesses) : null, sale)
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

  /** Commits of the writer since it started, as it counts them itself. */
  commitCounts(): Promise<CommitCounts> {
    return askCommitCounts(this.box)
  }

  /** Null when the data is sound, as `penstock audit` says; otherwise what is broken. */
  audit(signal: AbortSignal): Promise<string | null> {
    return auditData(this.box.dataFolder, signal)
  }

  /** Another drop with one SKU, of which nothing is left. */
  async openSoldOutSale(): Promise<Sale> {
    return this.sale.with(await publishDrop(this.box, 0))
  }

  /** Sales of `count` SKUs, in drops of 100. */
  async openWideSale(count: number): Promise<readonly Sale[]> {
    const ids = await publishWideDrops(this.box, count)
    return ids.map((one) => this.sale.with(one))
  }
}

/** Waits for a commit that is far away, which the server gives up after 2 s. */
function parkingRequest({ publishableKey }: Box): RequestTemplate {
  return {
    method: 'GET',
    path: '/v1/drops',
    headers: { Authorization: `Bearer ${publishableKey}`, 'Penstock-Min-Seq': '999999999999999' },
    body: null,
  }
}

async function publishDrop(box: Box, stock: number): Promise<{ dropId: string; skuId: string }> {
  const [first] = await publishSkus(box, stock, 1)
  if (first === undefined) throw new Error('the drop has no SKU')
  return first
}

/** SKUs a drop may have; see skusPerDropMax. */
const skusPerDrop = 100

async function publishWideDrops(box: Box, count: number): Promise<{ dropId: string; skuId: string }[]> {
  const all: { dropId: string; skuId: string }[] = []
  while (all.length < count)
    all.push(...(await publishSkus(box, stockEnough, Math.min(skusPerDrop, count - all.length))))
  return all
}

async function publishSkus(box: Box, stock: number, count: number): Promise<{ dropId: string; skuId: string }[]> {
  const drop = await post(box, '/v1/drops', {
    name: 'Bench',
    currency: 'usd',
    hold_ttl: holdTtlSeconds,
    max_per_customer: 2,
    skus: Array.from({ length: count }, (_, place) => ({ name: `Size ${place}`, unit_amount: unitAmount, stock })),
  })
  await post(box, `/v1/drops/${drop.id}/publish`, {})
  return drop.skus.map(({ id }) => ({ dropId: drop.id, skuId: id }))
}

async function post(box: Box, path: string, body: object): Promise<{ id: string; skus: { id: string }[] }> {
  const response = await fetch(box.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${box.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer as { id: string; skus: { id: string }[] }
}
