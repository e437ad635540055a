import { purchase } from './drop-purchase.ts'
import { listOldDrops, readOldStatus } from './drop-reads.ts'
import { takePayosReport } from './payos-report.ts'
import type { Deps, Router } from '../api.ts'

/** The old system's API, for its pages and tools (docs/legacy-api.md). It needs no key, as before. */
export function serveLegacy(router: Router, deps: Deps): void {
  router.route('GET', '/api/drops', (exchange) => listOldDrops(exchange, deps))
  router.route('GET', '/api/drops/:id/status', (exchange) => readOldStatus(exchange, deps))
  router.route('POST', '/api/drops/:id/purchase', (exchange) => purchase(exchange, deps))
  router.route('POST', '/api/limited-drops/webhook/payos', (exchange) => takePayosReport(exchange, deps))
}
