import { noFees } from './fee.ts'
import type { Hold } from './hold.ts'

/** An active hold of one unit for tests, but for what a test says of it. */
export function testHold(fields: Pick<Hold, 'createdMs' | 'expiresMs'> & Partial<Hold>): Hold {
  return {
    id: 'hold_1',
    dropId: 'drop_1',
    lines: [{ skuId: 'sku_1', quantity: 1, unitAmountMinor: 100 }],
    fees: noFees,
    amountMinor: 100,
    currency: 'usd',
    customer: { email: 'ann@example.com', phone: null, externalId: null, name: null, shippingAddress: null },
    clientSecret: 'cs_1',
    status: 'active',
    ...fields,
  }
}
