import type { Drop } from './drop.ts'

/** A published drop for tests, but for what a test says of it. */
export function testDrop(fields: Pick<Drop, 'startsAtMs' | 'endsAtMs' | 'skuIds'> & Partial<Drop>): Drop {
  return {
    id: 'drop_1',
    name: 'Drop',
    description: null,
    image: null,
    currency: 'usd',
    holdTtlMs: 600_000,
    maxPerCustomer: null,
    latePayment: 'reacquire',
    fees: [],
    metadata: {},
    phase: 'published',
    createdMs: 0,
    ...fields,
  }
}
