import { expect, it } from 'vitest'
import { refuseByOffer, refuseByStock } from './hold-refusal.ts'
import { testDrop } from './test-drop.ts'
import type { DropPhase, Sku } from './drop.ts'
import type { Offer } from './hold-refusal.ts'
import type { RejectionCode } from './result.ts'
import type { Units } from './units.ts'

const nowMs = 1_700_000_000_000

/** Units as stock, held, sold. */
type Counters = readonly [number, number, number]

interface Sale {
  readonly phase?: DropPhase
  readonly startsAtMs?: number
  readonly endsAtMs?: number | null
  readonly shoe?: Counters
  readonly sock?: Counters
  readonly shoesPerOrder?: number | null
}

function offerOf({ phase = 'published', startsAtMs = nowMs, endsAtMs = nowMs + 1, ...sale }: Sale): Offer {
  const skus = [
    skuWith('sku_shoe', sale.shoe ?? [10, 3, 4], sale.shoesPerOrder ?? null),
    skuWith('sku_sock', sale.sock ?? [5, 0, 5], null),
  ]
  const drop = testDrop({ phase, startsAtMs, endsAtMs, maxPerCustomer: 1, skuIds: skus.map(({ id }) => id) })
  return { drop, skus }
}

function skuWith(id: string, [stock, held, sold]: Counters, maxPerOrder: number | null): Sku {
  return { id, dropId: 'drop_1', name: id, unitAmountMinor: 1, stock, maxPerOrder, held, sold }
}

const shoes = (quantity: number): Units => ({ skuId: 'sku_shoe', quantity })
const socks = (quantity: number): Units => ({ skuId: 'sku_sock', quantity })
const unknown: Units = { skuId: 'sku_none', quantity: 1 }
const gone: Sale = { shoe: [4, 0, 4] }

/** Wrong in every way behind what a row is about: the order is tested as well. */
it.each<[string, Sale, readonly Units[], [RejectionCode, string, string] | null]>([
  ['a draft', { ...gone, phase: 'draft' }, [unknown], ['not_live', 'drop', 'This drop is draft.']],
  ['a cancelled drop', { ...gone, phase: 'cancelled' }, [unknown], ['not_live', 'drop', 'This drop is cancelled.']],
  ['a drop ended by hand', { ...gone, phase: 'ended' }, [unknown], ['not_live', 'drop', 'This drop is ended.']],
  ['a drop that ends now', { ...gone, endsAtMs: nowMs }, [unknown], ['not_live', 'drop', 'This drop is ended.']],
  ['a paused drop', { ...gone, phase: 'paused' }, [unknown], ['not_live', 'drop', 'This drop is paused.']],
  [
    'a drop that starts in a millisecond',
    { ...gone, startsAtMs: nowMs + 1 },
    [unknown],
    ['not_live', 'drop', 'This drop is scheduled.'],
  ],
  ['a drop whose every unit is sold', gone, [unknown], ['sold_out', 'drop', 'This drop is sold out.']],
  [
    'an unknown SKU, also behind known ones',
    { shoesPerOrder: 1 },
    [shoes(11), unknown],
    ['not_found', 'lines[1].sku', 'This drop has no SKU sku_none.'],
  ],
  [
    'lines of one SKU that one order may have one by one but not together, although less is left',
    { shoesPerOrder: 4 },
    [socks(1), shoes(2), shoes(3)],
    ['limit_reached', 'lines[1].quantity', 'One order may have at most 4 units of sku_shoe, 5 wanted.'],
  ],
  ['more than is left', {}, [shoes(4)], ['sold_out', 'lines[0].quantity', 'sku_shoe has 3 units left, 4 wanted.']],
  [
    'lines of one SKU that fit one by one but not together',
    {},
    [shoes(2), shoes(2)],
    ['sold_out', 'lines[0].quantity', 'sku_shoe has 3 units left, 4 wanted.'],
  ],
  [
    'the second SKU, of which nothing is left',
    {},
    [shoes(3), socks(1)],
    ['sold_out', 'lines[1].quantity', 'sku_sock has 0 units left, 1 wanted.'],
  ],
  [
    'units that are all held, although none is sold',
    { shoe: [4, 4, 0] },
    [shoes(1)],
    ['sold_out', 'lines[0].quantity', 'sku_shoe has 0 units left, 1 wanted.'],
  ],
  ['nothing, when all of it is left', { shoesPerOrder: 3 }, [shoes(3)], null],
])('refuseByOffer, then refuseByStock: %s', (_, sale, lines, expected) => {
  const offer = offerOf(sale)
  const refusal = refuseByOffer(offer, lines, nowMs) ?? refuseByStock(offer, lines, [])
  if (expected === null) return expect(refusal).toBeNull()
  const [outcome, param, detail] = expected
  expect(refusal).toEqual({ outcome, param, detail })
})

it('refuseByStock counts what comes back', () => {
  const offer = offerOf({})
  expect(refuseByStock(offer, [shoes(5)], [shoes(1), shoes(1), socks(9)])).toBeNull()
  expect(refuseByStock(offer, [shoes(6)], [shoes(2)])).toMatchObject({ detail: 'sku_shoe has 5 units left, 6 wanted.' })
})
