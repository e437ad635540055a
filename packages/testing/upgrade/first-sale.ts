import { mintId } from '@penstock/domain/id.ts'
import {
  captureCommand,
  customer,
  dropCommand,
  expireCommand,
  holdCommand,
  releaseCommand,
  requestKey,
} from '@penstock/engine/test-sale.ts'
import type { Command, CreateHold, NewSku } from '@penstock/domain/command.ts'
import type { IdKind } from '@penstock/domain/id.ts'

/** Commands that share one moment: one batch, one commit. */
export interface Moment {
  readonly nowMs: number
  readonly commands: readonly Command[]
}

export const firstMs = 1_700_000_000_000
const ttlMs = 600_000

/** Ids as an HTTP process mints them, but the same ones every time: byte `number` stands for the random bits. */
function id(kind: IdKind, number: number): string {
  return mintId(kind, firstMs, Buffer.alloc(10, number), 0)
}

const [shoes, socks, draft, over] = [1, 2, 3, 4].map((number) => id('drop', number)) as [string, string, string, string]
const [size42, size43, pair, later] = [1, 2, 3, 4].map((number) => id('sku', number)) as [
  string,
  string,
  string,
  string,
]

function sku(skuId: string, unitAmountMinor: number, stock: number): NewSku {
  return { id: skuId, name: `Size ${skuId.slice(-2)}`, unitAmountMinor, stock, maxPerOrder: null }
}

function hold(number: number, change: Partial<CreateHold> = {}): CreateHold {
  return holdCommand(id('hold', number), {
    clientSecret: `cs_${String(number).padStart(24, '0')}`,
    dropId: shoes,
    lines: [{ skuId: size42, quantity: 1 }],
    customer: customer(`buyer${number}@example.com`),
    key: requestKey(`hold ${number}`),
    ...change,
  })
}

function pay(number: number, change: Partial<ReturnType<typeof captureCommand>> = {}): Command {
  return captureCommand(id('hold', number), {
    paymentId: id('payment', number),
    provider: 'manual',
    providerPaymentId: `transfer ${number}`,
    amountMinor: 4_999,
    key: requestKey(`payment ${number}`),
    ...change,
  })
}

const address = { line1: '1 Quay', line2: null, city: 'Huế', state: null, postalCode: '49000', country: 'VN' }
const phase = (dropId: string, action: 'publish' | 'pause' | 'end'): Command => ({
  kind: 'change_drop_phase',
  key: requestKey(`${action} ${dropId}`),
  dropId,
  action,
})

const drops: readonly Command[] = [
  dropCommand({
    dropId: shoes,
    key: requestKey('drop shoes'),
    name: 'Friday "drop" 👟',
    description: "It's\nlimited",
    image: 'https://example.com/shoe.png',
    maxPerCustomer: 3,
    holdTtlMs: ttlMs,
    metadata: { season: 'autumn', '': 'Ü' },
    skus: [sku(size42, 4_999, 10), sku(size43, 5_999, 10)],
  }),
  dropCommand({
    dropId: socks,
    currency: 'jpy',
    latePayment: 'refund',
    skus: [sku(pair, 900, 2)],
    endsAtMs: firstMs * 2,
  }),
  dropCommand({ dropId: draft, key: requestKey('drop draft'), skus: [] }),
  dropCommand({ dropId: over, skus: [] }),
]

/** Every status, every fate of money, every kind of remembered answer, with and without the buyer's details. */
export const firstSale: readonly Moment[] = [
  { nowMs: firstMs, commands: drops },
  {
    nowMs: firstMs + 1_000,
    commands: [phase(shoes, 'publish'), phase(socks, 'publish'), phase(over, 'publish'), phase(over, 'end')],
  },
  {
    nowMs: firstMs + 2_000,
    commands: [
      {
        kind: 'update_drop',
        key: requestKey('update shoes'),
        dropId: shoes,
        changes: { name: 'Friday drop' },
        skuChanges: [{ skuId: size43, name: 'Size 43', unitAmountMinor: 6_000, maxPerOrder: null }],
        newSkus: [sku(later, 100, 0)],
      },
      { kind: 'restock_sku', key: requestKey('restock 42'), dropId: shoes, skuId: size42, quantity: 5 },
    ],
  },
  {
    nowMs: firstMs + 3_000,
    commands: [
      hold(1),
      hold(2, { key: null }),
      hold(3),
      hold(4),
      hold(5),
      hold(7),
      hold(8, { dropId: socks, lines: [{ skuId: pair, quantity: 2 }] }),
      hold(11, { lines: [{ skuId: size42, quantity: 1 }] }),
    ],
  },
  // Paid; paid without a key; reported again under another key; another payment for the same hold.
  {
    nowMs: firstMs + 4_000,
    commands: [
      pay(1),
      pay(2, { key: null }),
      pay(1, { key: requestKey('payment 1 again'), paymentId: id('payment', 21) }),
      pay(1, {
        key: requestKey('twice'),
        paymentId: id('payment', 22),
        providerPaymentId: 'x',
      }),
    ],
  },
  {
    nowMs: firstMs + 5_000,
    commands: [
      releaseCommand(id('hold', 3), { key: requestKey('release 3') }),
      hold(6, { replace: { holdId: id('hold', 5), proof: null }, customer: customer('buyer5@example.com') }),
      // Too little money; money for a hold nobody made.
      pay(7, { amountMinor: 4_998 }),
      pay(99, { provider: 'stripe', providerPaymentId: 'pi_1/a', currency: 'jpy' }),
    ],
  },
  // What is still active by then has expired; one of them is paid late and gets the goods, the other a refund.
  { nowMs: firstMs + 3_000 + ttlMs, commands: [expireCommand, pay(4)] },
  {
    nowMs: firstMs + 4_000 + ttlMs,
    commands: [pay(8, { amountMinor: 1_800, currency: 'jpy', provider: 'stripe', key: null })],
  },
  {
    nowMs: firstMs + 5_000 + ttlMs,
    commands: [
      hold(9, {
        lines: [
          { skuId: size43, quantity: 2 },
          { skuId: size42, quantity: 1 },
        ],
        customer: customer('Ann+vip@Example.com', {
          phone: '+84 24 1',
          externalId: 'u1',
          name: "Ann O'Neill",
          shippingAddress: address,
        }),
      }),
      hold(10, { key: null }),
      // Refused: nothing of these is stored.
      hold(12, { lines: [{ skuId: later, quantity: 1 }] }),
      hold(13, { dropId: draft }),
    ],
  },
]
