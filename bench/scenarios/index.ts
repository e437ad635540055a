import { duplicates } from './duplicates.ts'
import { empty } from './empty.ts'
import { flow } from './flow.ts'
import { holds } from './holds.ts'
import { mix } from './mix.ts'
import { payments } from './payments.ts'
import { paymentsWithExport } from './payments-with-export.ts'
import { reads } from './reads.ts'
import { soldoutKeyed } from './soldout-keyed.ts'
import { soldout } from './soldout.ts'
import { webhooks } from './webhooks.ts'
import type { Scenario } from './scenario.ts'

/** In the order they are measured and shown. */
export const scenarios: readonly Scenario[] = [
  empty,
  reads,
  holds,
  payments,
  paymentsWithExport,
  webhooks,
  duplicates,
  soldout,
  soldoutKeyed,
  flow,
  mix,
]
