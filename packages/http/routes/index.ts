import { sendProblem } from '../api.ts'
import { serveRead } from '../serve-read.ts'
import { serveWrite } from '../serve-write.ts'
import { problem } from '../problem.ts'
import { disputeClose } from './dispute-close.ts'
import { disputeOpen } from './dispute-open.ts'
import { codeVerify } from './code-verify.ts'
import { holdErase, orderErase } from './customer-erase.ts'
import { dropActions, dropRestock } from './drop-actions.ts'
import { dropCreate } from './drop-create.ts'
import { dropFind, dropList } from './drop-read.ts'
import { dropUpdate } from './drop-update.ts'
import { serveHealth } from './health.ts'
import { holdCreate } from './hold-create.ts'
import { holdFind } from './hold-read.ts'
import { holdRelease } from './hold-release.ts'
import { disputeFind, ledgerBalances, paymentFind, refundFind } from './money-read.ts'
import { orderCancel, orderFulfil } from './order-actions.ts'
import { orderFind, orderList } from './order-read.ts'
import { paymentAttach } from './payment-attach.ts'
import { paymentCreate } from './payment-create.ts'
import { refundCreate } from './refund-create.ts'
import { refundSettle } from './refund-settle.ts'
import type { Deps, Router } from '../api.ts'
import type { HttpTransport } from '../transport.ts'

/** Every route of the API, on any transport. */
export function serveRoutes(transport: HttpTransport, deps: Deps): void {
  const methodsByPath = new Map<string, string[]>()
  const router: Router = {
    route: (method, path, handler) => {
      methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), method])
      transport.route(method, path, handler)
    },
  }
  serveWrite(router, dropCreate, deps)
  serveWrite(router, dropUpdate, deps)
  for (const action of dropActions) serveWrite(router, action, deps)
  serveWrite(router, dropRestock, deps)
  serveWrite(router, holdCreate, deps)
  serveWrite(router, holdRelease, deps)
  serveWrite(router, paymentCreate, deps)
  serveWrite(router, paymentAttach, deps)
  serveWrite(router, refundCreate, deps)
  serveWrite(router, refundSettle, deps)
  serveWrite(router, disputeOpen, deps)
  serveWrite(router, disputeClose, deps)
  serveWrite(router, orderCancel, deps)
  serveWrite(router, orderFulfil, deps)
  serveWrite(router, codeVerify, deps)
  serveWrite(router, holdErase, deps)
  serveWrite(router, orderErase, deps)
  for (const route of [dropList, dropFind, holdFind, orderList, orderFind]) serveRead(router, route, deps)
  for (const route of [paymentFind, refundFind, disputeFind, ledgerBalances]) serveRead(router, route, deps)
  serveHealth(router, deps)
  serveFallback(transport, methodsByPath, deps)
}

/** Tells a wrong method from a wrong path. */
function serveFallback(
  transport: HttpTransport,
  methodsByPath: ReadonlyMap<string, readonly string[]>,
  deps: Deps,
): void {
  const known = [...methodsByPath].map(([path, methods]) => ({
    pattern: new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}$`),
    allowed: methods.join(', '),
  }))
  transport.fallback((exchange) => {
    const { method, path } = exchange
    const match = known.find(({ pattern }) => pattern.test(path))
    if (match === undefined) {
      return sendProblem(exchange, deps, problem('route_not_found', `There is no route ${path}.`))
    }
    const { allowed } = match
    sendProblem(exchange, deps, problem('method_not_allowed', `${path} has ${allowed}, not ${method}.`), [
      'Allow',
      allowed,
    ])
  })
}
