import { expect, it } from 'vitest'
import { amountMax } from '@penstock/domain/limits.ts'
import {
  captureCommand,
  customer,
  dropCommand,
  dropId,
  expireCommand,
  holdCommand,
  openSale,
  phaseCommand,
  releaseCommand,
  restockCommand,
  shoe,
  sock,
  startMs,
  TestSale,
  ttlMs,
  updateCommand,
} from '../test-sale.ts'
import type { CreateDrop, CreateHold, NewSku } from '@penstock/domain/command.ts'
import type { FeeRule } from '@penstock/domain/fee.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'

const twoShoes = [{ skuId: shoe, quantity: 2 }]
const allShoes = [{ skuId: shoe, quantity: 10 }]
const ann = customer('ann@example.com')

interface Refusal {
  readonly what: string
  readonly sale?: Partial<CreateDrop>
  readonly arrange?: (sale: TestSale) => void
  readonly command: Partial<CreateHold>
  readonly outcome: RejectionCode
  readonly param: string
}

/** Wrong in every way: each row below repairs what the row before it is about, so the order is tested as well. */
const hopeless: Partial<CreateHold> = {
  dropId: 'drop_none',
  lines: [
    { skuId: shoe, quantity: 11 },
    { skuId: 'sku_none', quantity: 1 },
  ],
  replace: { holdId: 'hold_none', proof: 'wrong' },
}
const knownDrop: Partial<CreateHold> = { ...hopeless, dropId: 'drop_1' }
const knownSkus: Partial<CreateHold> = { ...knownDrop, lines: [{ skuId: shoe, quantity: 11 }] }
const replacing = (holdId: string, proof: string | null): Partial<CreateHold> => ({
  ...knownSkus,
  replace: { holdId, proof },
})

const shoeAndSock = (maxPerOrder: number | null): NewSku[] => [
  { id: shoe, name: 'Shoe', unitAmountMinor: 100, stock: 10, maxPerOrder },
  { id: sock, name: 'Sock', unitAmountMinor: 25, stock: 5, maxPerOrder: null },
]
const perOrder = (maxPerOrder: number | null): Partial<CreateDrop> => ({ skus: shoeAndSock(maxPerOrder) })

const refusals: readonly Refusal[] = [
  { what: 'an unknown drop', command: hopeless, outcome: 'not_found', param: 'drop' },
  {
    what: 'a drop that is cancelled',
    arrange: (sale) => sale.accept(phaseCommand('cancel')),
    command: knownDrop,
    outcome: 'not_live',
    param: 'drop',
  },
  {
    what: 'a drop that is paused',
    arrange: (sale) => sale.accept(phaseCommand('pause')),
    command: knownDrop,
    outcome: 'not_live',
    param: 'drop',
  },
  {
    what: 'a drop ended by hand',
    arrange: (sale) => sale.accept(phaseCommand('end')),
    command: knownDrop,
    outcome: 'not_live',
    param: 'drop',
  },
  {
    what: 'a drop that starts in a millisecond',
    sale: { startsAtMs: startMs + 1 },
    command: knownDrop,
    outcome: 'not_live',
    param: 'drop',
  },
  {
    what: 'a drop that ends now',
    sale: { startsAtMs: startMs - 1, endsAtMs: startMs },
    command: knownDrop,
    outcome: 'not_live',
    param: 'drop',
  },
  {
    what: 'a drop whose every unit is sold',
    arrange: (sale) => {
      sale.accept(restockCommand(-5, { skuId: sock }), holdCommand('hold_all', { lines: allShoes }))
      sale.accept(captureCommand('hold_all', { amountMinor: 1_000 }))
    },
    command: knownDrop,
    outcome: 'sold_out',
    param: 'drop',
  },
  { what: 'an unknown SKU', command: knownDrop, outcome: 'not_found', param: 'lines[1].sku' },
  {
    what: 'the SKU of another drop',
    arrange: (sale) =>
      sale.accept(
        dropCommand({
          dropId: 'drop_2',
          skus: [{ id: 'sku_none', name: 'X', unitAmountMinor: 1, stock: 9, maxPerOrder: null }],
        }),
      ),
    command: knownDrop,
    outcome: 'not_found',
    param: 'lines[1].sku',
  },
  {
    what: 'more of a SKU than one order may have, although fewer are left and the hold to replace is unknown',
    sale: perOrder(10),
    command: knownSkus,
    outcome: 'limit_reached',
    param: 'lines[0].quantity',
  },
  {
    what: 'lines of one SKU that one order may have one by one but not together',
    sale: perOrder(4),
    command: {
      lines: [
        { skuId: sock, quantity: 5 },
        { skuId: shoe, quantity: 2 },
        { skuId: shoe, quantity: 3 },
      ],
    },
    outcome: 'limit_reached',
    param: 'lines[1].quantity',
  },
  { what: 'an unknown hold to replace', command: knownSkus, outcome: 'not_found', param: 'replace.hold' },
  {
    what: 'a hold of another drop to replace',
    arrange: (sale) => {
      const skus = [{ id: 'sku_2', name: 'X', unitAmountMinor: 1, stock: 9, maxPerOrder: null }]
      sale.accept(dropCommand({ dropId: 'drop_2', skus }), phaseCommand('publish', 'drop_2'))
      sale.accept(holdCommand('hold_2', { dropId: 'drop_2', lines: [{ skuId: 'sku_2', quantity: 1 }] }))
    },
    command: replacing('hold_2', null),
    outcome: 'not_found',
    param: 'replace.hold',
  },
  {
    what: 'a hold to replace without its secret',
    arrange: (sale) => sale.accept(holdCommand('hold_1')),
    command: replacing('hold_1', 'wrong'),
    outcome: 'invalid_client_secret',
    param: 'replace.client_secret',
  },
  {
    what: 'an ended hold to replace without its secret',
    arrange: (sale) => sale.accept(holdCommand('hold_1'), releaseCommand('hold_1')),
    command: replacing('hold_1', ''),
    outcome: 'invalid_client_secret',
    param: 'replace.client_secret',
  },
  {
    what: 'a paid hold to replace',
    arrange: (sale) => sale.accept(holdCommand('hold_1'), captureCommand('hold_1')),
    command: replacing('hold_1', 'secret of hold_1'),
    outcome: 'hold_not_active',
    param: 'replace.hold',
  },
  {
    what: 'more units than are left, although the limit is passed too',
    sale: { maxPerCustomer: 1 },
    command: { ...knownSkus, replace: null },
    outcome: 'sold_out',
    param: 'lines[0].quantity',
  },
  {
    what: 'the second of two SKUs being short',
    command: {
      lines: [
        { skuId: shoe, quantity: 10 },
        { skuId: sock, quantity: 6 },
      ],
    },
    outcome: 'sold_out',
    param: 'lines[1].quantity',
  },
  {
    what: 'two lines of one SKU that fit one by one but not together',
    command: {
      lines: [
        { skuId: sock, quantity: 1 },
        { skuId: shoe, quantity: 6 },
        { skuId: shoe, quantity: 5 },
      ],
    },
    outcome: 'sold_out',
    param: 'lines[1].quantity',
  },
  {
    what: 'lines of one SKU that one customer may have one by one but not together',
    sale: { maxPerCustomer: 3 },
    command: {
      lines: [
        { skuId: shoe, quantity: 2 },
        { skuId: shoe, quantity: 2 },
      ],
    },
    outcome: 'limit_reached',
    param: 'lines',
  },
  {
    what: 'more units than one customer may have',
    sale: { maxPerCustomer: 1 },
    command: { lines: twoShoes },
    outcome: 'limit_reached',
    param: 'lines',
  },
]

it.each(refusals)('createHold refuses $what: $outcome, $param', ({ sale: drop, arrange, command, outcome, param }) => {
  const sale = openSale(drop)
  arrange?.(sale)
  const { writes } = sale.set
  const result = sale.run(holdCommand('hold_new', command))
  expect(result).toEqual({ outcome, param, detail: expect.any(String) })
  expect(sale.set.writes).toBe(writes)
})

it('createHold refuses a draft', () => {
  const sale = new TestSale()
  sale.accept(dropCommand())
  expect(sale.run(holdCommand('hold_1'))).toMatchObject({ outcome: 'not_live', detail: 'This drop is draft.' })
})

it('createHold answers a known id first, as when it was new, whatever happened since', () => {
  const sale = openSale()
  const first = sale.run(holdCommand('hold_1'))
  sale.accept(captureCommand('hold_1'), phaseCommand('end'))
  const { writes } = sale.set
  expect(sale.run(holdCommand('hold_1', hopeless))).toEqual(first)
  expect(sale.set.writes).toBe(writes)
})

it('createHold takes the units and fixes price, amount and deadline', () => {
  const sale = openSale()
  sale.nowMs += 1
  const lines = [
    { skuId: shoe, quantity: 2 },
    { skuId: sock, quantity: 3 },
    { skuId: shoe, quantity: 1 },
  ]
  const result = sale.run(holdCommand('hold_1', { lines, customer: ann }))
  expect(result).toEqual({
    outcome: 'hold_created',
    replayed: false,
    hold: {
      id: 'hold_1',
      dropId: 'drop_1',
      lines: [
        { skuId: shoe, quantity: 2, unitAmountMinor: 100 },
        { skuId: sock, quantity: 3, unitAmountMinor: 25 },
        { skuId: shoe, quantity: 1, unitAmountMinor: 100 },
      ],
      fees: [],
      amountMinor: 375,
      currency: 'usd',
      customer: ann,
      clientSecret: 'secret of hold_1',
      createdMs: startMs + 1,
      expiresMs: startMs + ttlMs + 1_000,
      status: 'active',
    },
  })
  expect(sale.hold('hold_1')).toEqual('hold' in result ? result.hold : null)
  expect(sale.counters(shoe)).toEqual([3, 0])
  expect(sale.counters(sock)).toEqual([3, 0])
  expect(sale.buyers()).toEqual({})
})

it('createHold gives the last unit to the first who asks', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1', { lines: allShoes }))
  expect(sale.run(holdCommand('hold_2'))).toMatchObject({ outcome: 'sold_out', param: 'lines[0].quantity' })
  sale.accept(holdCommand('hold_3', { lines: [{ skuId: sock, quantity: 5 }] }))
})

it.each([
  ['its secret', 'secret of hold_1'],
  ['a secret key, which needs none', null],
])('createHold replaces a hold with %s in one step', (_, proof) => {
  const sale = openSale({ maxPerCustomer: 10 })
  sale.accept(holdCommand('hold_1', { lines: allShoes, customer: ann }))
  sale.accept(holdCommand('hold_2', { lines: allShoes, customer: ann, replace: { holdId: 'hold_1', proof } }))
  expect(sale.hold('hold_1').status).toBe('released')
  expect(sale.hold('hold_2').status).toBe('active')
  expect(sale.counters(shoe)).toEqual([10, 0])
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 10 })
})

it('createHold counts exactly the units that come back from the replaced hold', () => {
  const sale = openSale()
  const replace = { holdId: 'hold_1', proof: null }
  sale.accept(holdCommand('hold_0', { lines: [{ skuId: shoe, quantity: 7 }] }))
  sale.accept(holdCommand('hold_1', { lines: twoShoes }))
  const four = { lines: [{ skuId: shoe, quantity: 4 }], replace }
  expect(sale.run(holdCommand('hold_2', four))).toMatchObject({ outcome: 'sold_out' })
  expect(sale.hold('hold_1').status).toBe('active')
  sale.accept(holdCommand('hold_2', { lines: [{ skuId: shoe, quantity: 3 }], replace }))
  expect(sale.counters(shoe)).toEqual([10, 0])
})

it('createHold settles a hold to replace whose deadline has passed, and uses its units', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1', { lines: allShoes }))
  sale.nowMs += ttlMs
  sale.accept(holdCommand('hold_2', { lines: allShoes, replace: { holdId: 'hold_1', proof: null } }))
  expect(sale.hold('hold_1').status).toBe('expired')
  expect(sale.counters(shoe)).toEqual([10, 0])
})

it.each<[string, (sale: TestSale) => void, 'released' | 'expired']>([
  ['released', (sale) => sale.accept(releaseCommand('hold_1')), 'released'],
  [
    'expired and settled',
    (sale) => {
      sale.nowMs += ttlMs
      sale.accept(expireCommand)
    },
    'expired',
  ],
])('createHold leaves a hold to replace as it is when it was already %s', (_, end, status) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  end(sale)
  sale.accept(holdCommand('hold_2', { lines: allShoes, replace: { holdId: 'hold_1', proof: 'secret of hold_1' } }))
  expect(sale.hold('hold_1').status).toBe(status)
  expect(sale.counters(shoe)).toEqual([10, 0])
})

it.each([
  ['e-mail', customer('ANN+two@example.com')],
  ['phone', customer('bob@example.com', { phone: '00 1 555' })],
  ['external id', customer('cy@example.com', { externalId: 'u7' })],
  ['any one of many', customer('dee@example.com', { phone: '+1555', externalId: 'u8' })],
])('createHold counts a limit by %s', (_, other) => {
  const sale = openSale({ maxPerCustomer: 3 })
  const known = customer('ann@example.com', { phone: '+1 555', externalId: 'u7' })
  sale.accept(holdCommand('hold_1', { lines: twoShoes, customer: known }))
  expect(sale.run(holdCommand('hold_2', { lines: twoShoes, customer: other }))).toMatchObject({
    outcome: 'limit_reached',
  })
  sale.accept(holdCommand('hold_3', { customer: other }))
  sale.accept(holdCommand('hold_4', { lines: twoShoes, customer: customer('eve@example.com', { phone: '+2' }) }))
})

it('createHold counts a limit over all lines and SKUs', () => {
  const sale = openSale({ maxPerCustomer: 2 })
  const lines = [
    { skuId: shoe, quantity: 1 },
    { skuId: sock, quantity: 1 },
  ]
  sale.accept(holdCommand('hold_1', { lines, customer: ann }))
  expect(sale.run(holdCommand('hold_2', { customer: ann }))).toMatchObject({ outcome: 'limit_reached' })
})

it('createHold still counts units that were paid, and no longer those that were given back', () => {
  const sale = openSale({ maxPerCustomer: 1 })
  sale.accept(holdCommand('hold_1', { customer: ann }), captureCommand('hold_1'))
  expect(sale.run(holdCommand('hold_2', { customer: ann }))).toMatchObject({ outcome: 'limit_reached' })
  const bob = customer('bob@example.com')
  sale.accept(
    holdCommand('hold_3', { customer: bob }),
    releaseCommand('hold_3'),
    holdCommand('hold_4', { customer: bob }),
  )
})

it('createHold credits a replaced hold only to the buyer keys it was counted under', () => {
  const sale = openSale({ maxPerCustomer: 2 })
  sale.accept(holdCommand('hold_1', { lines: twoShoes, customer: ann }))
  const bob = customer('bob@example.com')
  sale.accept(holdCommand('hold_2', { lines: twoShoes, customer: bob }))
  const replace = { holdId: 'hold_1', proof: null }
  expect(sale.run(holdCommand('hold_3', { customer: bob, replace }))).toMatchObject({ outcome: 'limit_reached' })
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 2, 'email:bob@example.com': 2 })
})

it('createHold refuses an amount that no payment may have', () => {
  const sale = openSale()
  const price = amountMax / 2 + 1
  sale.accept({
    kind: 'update_drop',
    key: null,
    dropId,
    changes: {},
    skuChanges: [{ skuId: shoe, name: null, unitAmountMinor: price, maxPerOrder: null }],
    newSkus: [],
  })
  const refused = sale.run(holdCommand('hold_1', { lines: twoShoes }))
  expect(refused).toMatchObject({ outcome: 'invalid_request', param: 'lines' })
  expect(sale.counters(shoe)).toEqual([0, 0])
})

const parcel: FeeRule = { name: 'Parcel', kind: 'shipping', amountMinor: 499, basisPoints: null }
const vat: FeeRule = { name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 }

it('createHold adds the fees of the drop to the amount, rounded line by line', () => {
  const sale = openSale({ fees: [parcel, vat] })
  const lines = [
    { skuId: shoe, quantity: 1 },
    { skuId: sock, quantity: 3 },
  ]
  sale.accept(holdCommand('hold_1', { lines }))
  // 19 % of 175 is 33.25.
  expect(sale.hold('hold_1')).toMatchObject({
    fees: [
      { name: 'Parcel', kind: 'shipping', amountMinor: 499 },
      { name: 'VAT', kind: 'tax', amountMinor: 33 },
    ],
    amountMinor: 175 + 499 + 33,
  })
})

it('createHold keeps the fees a hold was made with when the drop changes them', () => {
  const sale = openSale({ fees: [parcel] })
  sale.accept(holdCommand('hold_1'))
  sale.accept(updateCommand({ changes: { fees: [vat] } }), holdCommand('hold_2'))
  sale.accept(updateCommand({ changes: { fees: [] } }), holdCommand('hold_3'))
  expect(['hold_1', 'hold_2', 'hold_3'].map((id) => sale.hold(id).amountMinor)).toEqual([599, 119, 100])
  expect(sale.hold('hold_3').fees).toEqual([])
})

it.each([
  ['fees that pass the bound', amountMax, [parcel]],
  ['goods that pass the bound, fees or not', amountMax + 1, [vat]],
])('createHold refuses %s', (_, unitAmountMinor, fees) => {
  const sale = openSale({ fees, skus: [{ id: shoe, name: 'Shoe', unitAmountMinor, stock: 1, maxPerOrder: null }] })
  const { writes } = sale.set
  expect(sale.run(holdCommand('hold_1'))).toMatchObject({ outcome: 'invalid_request', param: 'lines' })
  expect(sale.set.writes).toBe(writes)
})

it('createHold allows as many units as one order may have, in every order anew', () => {
  const sale = openSale(perOrder(2))
  sale.accept(holdCommand('hold_1', { lines: twoShoes, customer: ann }))
  sale.accept(holdCommand('hold_2', { lines: twoShoes, customer: ann }))
  const change = { skuId: shoe, name: null, unitAmountMinor: null }
  sale.accept(updateCommand({ skuChanges: [{ ...change, maxPerOrder: 1 }] }))
  expect(sale.run(holdCommand('hold_3', { lines: twoShoes }))).toMatchObject({ outcome: 'limit_reached' })
  sale.accept(updateCommand({ skuChanges: [{ ...change, maxPerOrder: null }] }))
  expect(sale.run(holdCommand('hold_3', { lines: twoShoes }))).toMatchObject({ outcome: 'limit_reached' })
  sale.accept(updateCommand({ skuChanges: [{ ...change, maxPerOrder: 0 }] }))
  sale.accept(holdCommand('hold_3', { lines: twoShoes }))
  expect(sale.set.skus.find(shoe)).toMatchObject({ maxPerOrder: null, held: 6 })
})
