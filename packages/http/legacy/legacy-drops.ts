import { availableUnits } from '@penstock/domain/drop.ts'
import { idNumber, idsOfNumber } from '@penstock/domain/id-number.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Catalogue } from '../catalogue.ts'
import type { CatalogueDrop } from '../catalogue-drop.ts'

/** A drop of the old system has one product: one SKU here. Others are not shown to old clients. */
export interface LegacyDrop {
  readonly drop: Drop
  readonly sku: Sku
}

/**
 * The catalogue as the old system showed it, as bytes that are made again only after a change. The old list has no
 * clock in it: not the time, and no sale that opens or closes by itself.
 */
export class LegacyDrops {
  readonly #catalogue: Pick<Catalogue, 'drops' | 'version'>
  /** The JSON of one drop: when its counters move, its SKU becomes another object. */
  readonly #json = new WeakMap<Sku, string>()
  #version = -1
  #list: Uint8Array = new Uint8Array()

  constructor(catalogue: Pick<Catalogue, 'drops' | 'version'>) {
    this.#catalogue = catalogue
  }

  /** `GET /api/drops`: those that are open as the old system saw it, by start. None: `null`, as a nil slice was in Go. */
  list(): Uint8Array {
    const { drops, version } = this.#catalogue
    if (version === this.#version) return this.#list
    const active = drops
      .flatMap((row) => toLegacy(row) ?? [])
      .filter(({ drop }) => isActive(drop))
      .toSorted((a, b) => a.drop.startsAtMs - b.drop.startsAtMs)
    const rows = active.map((row) => this.#listJson(row))
    this.#version = version
    this.#list = Buffer.from(rows.length === 0 ? 'null' : `[${rows.join(',')}]`)
    return this.#list
  }

  /** The drop with this number, unless it is a draft. */
  find(number: number): LegacyDrop | null {
    const ids = idsOfNumber('drop', number)
    if (ids === null) return null
    const { drops } = this.#catalogue
    const at = firstFrom(drops, ids.from)
    const [found, other] = [drops[at], drops[at + 1]]
    if (found === undefined || found.drop.id >= ids.before) return null
    if (other !== undefined && other.drop.id < ids.before) return null
    return found.drop.phase === 'draft' ? null : toLegacy(found)
  }

  #listJson({ drop, sku }: LegacyDrop): string {
    const known = this.#json.get(sku)
    if (known !== undefined) return known
    const json = JSON.stringify(oldFacts(drop, sku))
    this.#json.set(sku, json)
    return json
  }
}

/** `GET /api/drops/:id/status` */
export function oldDropStatus({ drop, sku }: LegacyDrop, nowMs: number): object {
  return {
    ...oldFacts(drop, sku),
    price: sku.unitAmountMinor,
    currency: drop.currency,
    available: availableUnits(sku),
    now: oldTime(nowMs),
  }
}

/** What the old list had, by the names its code wrote (its README had others). */
function oldFacts(drop: Drop, sku: Sku): object {
  return {
    id: idNumber(drop.id),
    product_id: idNumber(sku.id),
    starts_at: oldTime(drop.startsAtMs),
    ends_at: drop.endsAtMs === null ? null : oldTime(drop.endsAtMs),
    name: drop.name,
    total_stock: sku.stock,
    // A wave of the old system. There are none here, so it is all there is.
    drop_size: sku.stock,
    sold: sku.sold,
    is_active: isActive(drop),
  }
}

/** The old flag, which did not look at the clock. */
function isActive({ phase }: Drop): boolean {
  return phase === 'published'
}

function toLegacy({ drop, skus }: CatalogueDrop): LegacyDrop | null {
  const [sku, second] = skus
  return sku === undefined || second !== undefined ? null : { drop, sku }
}

function oldTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** Where the first drop with an id from `from` on is. `drops` are in the order of their ids. */
function firstFrom(drops: readonly CatalogueDrop[], from: string): number {
  let low = 0
  let high = drops.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((drops[middle]?.drop.id ?? '') < from) low = middle + 1
    else high = middle
  }
  return low
}
