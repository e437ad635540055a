import { dropStatus } from '@penstock/domain/drop.ts'
import { wireDropFacts, wireSku } from '@penstock/wire/wire.ts'
import type { Drop, DropStatus, Sku } from '@penstock/domain/drop.ts'
import type { SkuCounters } from '@penstock/protocol/messages.ts'
import type { DropWithSkus } from '@penstock/store/queries.ts'
import type { Json } from './route.ts'
import type { WireDrop } from '@penstock/wire/wire.ts'

/** One drop in memory with its JSON in pieces, so that a moved counter renders one SKU again and nothing else. */
export class CatalogueDrop {
  readonly drop: Drop
  readonly #skus: Sku[]
  readonly #factsJson: string
  readonly #skuJson: (string | null)[]

  constructor({ drop, skus }: DropWithSkus) {
    this.drop = drop
    this.#skus = [...skus]
    this.#skuJson = skus.map(() => null)
    this.#factsJson = JSON.stringify(wireDropFacts(drop)).slice(1, -1)
  }

  get skuIds(): readonly string[] {
    return this.drop.skuIds
  }

  /** In the seller's order. A SKU whose counters moved is another object. */
  get skus(): readonly Sku[] {
    return this.#skus
  }

  setCounters({ skuId, stock, held, sold }: SkuCounters): void {
    const index = this.skuIds.indexOf(skuId)
    const sku = this.#skus[index]
    if (sku === undefined) return
    this.#skus[index] = { ...sku, stock, held, sold }
    this.#skuJson[index] = null
  }

  status(nowMs: number): DropStatus {
    return dropStatus(this.drop, this.#skus, nowMs)
  }

  /** The drop object of the API. */
  json(status: DropStatus, serverTime: number): Json<WireDrop> {
    for (const [index, sku] of this.#skus.entries()) this.#skuJson[index] ??= JSON.stringify(wireSku(sku))
    const skus = this.#skuJson.join(',')
    return `{"id":"${this.drop.id}","object":"drop","status":"${status}",${this.#factsJson},"skus":[${skus}],"server_time":${serverTime}}` as Json<WireDrop>
  }
}
