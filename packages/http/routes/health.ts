import { sendProblem } from '../api.ts'
import { problem } from '../problem.ts'
import type { Deps, Router } from '../api.ts'

const ok = '{"status":"ok"}'
const headers = ['Content-Type', 'application/json']

/**
 * `/healthz`: this process answers. `/readyz`: it can also serve, that is, it reads the database and has a writer.
 * Neither needs a key.
 */
export function serveHealth(router: Router, deps: Deps): void {
  router.route('GET', '/healthz', (exchange) => exchange.send(200, headers, ok))
  router.route('GET', '/readyz', (exchange) => {
    if (!deps.writer.isConnected) return sendProblem(exchange, deps, problem('not_ready', 'There is no writer.'))
    deps.queries.readSeq()
    exchange.send(200, headers, ok)
  })
}
