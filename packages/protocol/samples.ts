import type { Command, CommandKind } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Result } from '@penstock/domain/result.ts'

const key = { id: 'k3Yx0aQ9vBn4mC7dE1fG2h', fingerprint: 'p8Lw5zR6tUi2oP4aS7dF9g' }

/** One of each kind with every field filled, for tests. The order of the fields is that of the wire. */
export const sampleCommands = {
  create_drop: {
    kind: 'create_drop',
    key,
    dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
    name: 'Air 東京',
    description: 'Fast',
    image: 'https://example.com/a.png',
    currency: 'usd',
    startsAtMs: 1_800_000_000_000,
    endsAtMs: 1_800_086_400_000,
    holdTtlMs: 600_000,
    maxPerCustomer: 2,
    latePayment: 'reacquire',
    fees: [{ name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 }],
    metadata: { team: 'red' },
    skus: [
      { id: 'sku_01fwhe4ydgfk1shh6w1g60eecf', name: 'Size 42', unitAmountMinor: 4_999, stock: 500, maxPerOrder: 2 },
    ],
  },
  update_drop: {
    kind: 'update_drop',
    key,
    dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
    changes: { name: 'Air', startsAtMs: 1, endsAtMs: 2, holdTtlMs: 3, maxPerCustomer: 4, metadata: { a: 'b' } },
    skuChanges: [{ skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf', name: 'Size 43', unitAmountMinor: 5_999, maxPerOrder: 0 }],
    newSkus: [
      { id: 'sku_01h455vb4pex5vsknk084sn02q', name: 'Size 44', unitAmountMinor: 4_999, stock: 1, maxPerOrder: 4 },
    ],
  },
  change_drop_phase: {
    kind: 'change_drop_phase',
    key,
    dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
    action: 'publish',
  },
  restock_sku: {
    kind: 'restock_sku',
    key,
    dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
    skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf',
    quantity: 10,
  },
  create_hold: {
    kind: 'create_hold',
    key,
    holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
    clientSecret: 'cs_0123456789abcdef',
    dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
    lines: [{ skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf', quantity: 1 }],
    customer: {
      email: 'ann@example.com',
      phone: '+1 555',
      externalId: 'u7',
      name: 'Ann',
      shippingAddress: { line1: '1 Way', line2: 'B', city: 'Hue', state: 'H', postalCode: '49000', country: 'VN' },
    },
    replace: { holdId: 'hold_01h455vb4pex5vsknk084sn02q', proof: 'cs_fedcba9876543210' },
  },
  release_hold: {
    kind: 'release_hold',
    key,
    holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
    proof: 'cs_0123456789abcdef',
  },
  expire_holds: { kind: 'expire_holds', key: null },
  capture_payment: {
    kind: 'capture_payment',
    key,
    paymentId: 'pay_01fwhe4ydgfk1shh6w1g60eecf',
    orderId: 'ord_01fwhe4ydgfk1shh6w1g60eecf',
    holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
    provider: 'stripe',
    providerPaymentId: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
    amountMinor: 4_999,
    currency: 'usd',
  },
  erase_customer: { kind: 'erase_customer', key, holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf' },
  use_code: {
    kind: 'use_code',
    key,
    orderId: 'ord_01fwhe4ydgfk1shh6w1g60eecf',
    holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
    unit: 7,
  },
} satisfies { readonly [Kind in CommandKind]: Extract<Command, { kind: Kind }> }

const sampleHold: Hold = {
  id: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
  dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
  lines: [{ skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf', quantity: 1, unitAmountMinor: 4_500 }],
  fees: [{ name: 'Parcel', kind: 'shipping', amountMinor: 499 }],
  amountMinor: 4_999,
  currency: 'usd',
  customer: sampleCommands.create_hold.customer,
  clientSecret: 'cs_0123456789abcdef',
  createdMs: 1_800_000_000_000,
  expiresMs: 1_800_000_600_000,
  status: 'active',
}

/** One of each accepted outcome, and one refusal, as the engine makes them. */
export const sampleResults = {
  hold_created: { outcome: 'hold_created', hold: sampleHold, replayed: false },
  hold_released: { outcome: 'hold_released', hold: { ...sampleHold, status: 'released' }, replayed: false },
  holds_expired: { outcome: 'holds_expired', count: 3, replayed: false },
  payment_recorded: {
    outcome: 'payment_recorded',
    payment: {
      id: 'pay_01fwhe4ydgfk1shh6w1g60eecf',
      provider: 'stripe',
      providerPaymentId: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
      holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
      orderId: 'ord_01fwhe4ydgfk1shh6w1g60eecf',
      amountMinor: 4_999,
      currency: 'usd',
      status: 'captured',
      reason: null,
      createdMs: 1_800_000_000_000,
    },
    duplicate: false,
    replayed: false,
  },
  drop_saved: {
    outcome: 'drop_saved',
    drop: {
      id: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
      name: 'Air',
      description: null,
      image: null,
      currency: 'usd',
      startsAtMs: 1_800_000_000_000,
      endsAtMs: null,
      holdTtlMs: 600_000,
      maxPerCustomer: 2,
      latePayment: 'reacquire',
      fees: [],
      metadata: {},
      phase: 'draft',
      createdMs: 1_800_000_000_000,
      skuIds: ['sku_01fwhe4ydgfk1shh6w1g60eecf'],
    },
    skus: [
      {
        id: 'sku_01fwhe4ydgfk1shh6w1g60eecf',
        name: 'Size 42',
        unitAmountMinor: 4_999,
        stock: 500,
        maxPerOrder: null,
        dropId: 'drop_01fwhe4ydgfk1shh6w1g60eecf',
        held: 0,
        sold: 0,
      },
    ],
    nowMs: 1_800_000_000_000,
    replayed: false,
  },
  customer_erased: {
    outcome: 'customer_erased',
    hold: { ...sampleHold, customer: { countedIn: ['drop_01fwhe4ydgfk1shh6w1g60eecf email:k3Yx0aQ9vBn4mC7dE1fG2h'] } },
    replayed: false,
  },
  code_activated: {
    outcome: 'code_activated',
    orderId: 'ord_01fwhe4ydgfk1shh6w1g60eecf',
    skuId: 'sku_01fwhe4ydgfk1shh6w1g60eecf',
    usedMs: 1_800_000_000_000,
    replayed: false,
  },
  refused: { outcome: 'limit_reached', param: 'lines', detail: 'One customer may have at most 2 units.' },
} satisfies Record<string, Result>
