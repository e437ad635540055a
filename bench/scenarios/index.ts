import { empty } from './empty.ts'
import { holds } from './holds.ts'
import { payments } from './payments.ts'
import { paymentsWithExport } from './payments-with-export.ts'
import { reads } from './reads.ts'
import type { Scenario } from './scenario.ts'

/** In the order they are measured and shown. */
export const scenarios: readonly Scenario[] = [empty, reads, holds, payments, paymentsWithExport]
