import { sendProblem } from '../api.ts'
import { serveLegacy } from '../legacy/routes.ts'
import { servePlain } from '../serve-plain.ts'
import { serveRead, serveSlowRead } from '../serve-read.ts'
import { serveSlowWrite } from '../serve-slow-write.ts'
import { serveWebhook } from '../serve-webhook.ts'
import { serveWrite } from '../serve-write.ts'
import { problem } from '../problem.ts'
import { apiKeyCreate } from './api-key-create.ts'
import { apiKeyFind, apiKeyList } from './api-key-read.ts'
import { apiKeyRevoke } from './api-key-revoke.ts'
import { apiKeyRoll } from './api-key-roll.ts'
import { checkoutCreate } from './checkout-create.ts'
import { codeVerify } from './code-verify.ts'
import { collectionLists } from './collection-list.ts'
import { customerErasureCreate } from './customer-erasure.ts'
import { holdErase, orderErase } from './customer-erase.ts'
import { disputeClose } from './dispute-close.ts'
import { disputeOpen } from './dispute-open.ts'
import { documentRoutes } from './documents.ts'
import { dropActions, dropRestock } from './drop-actions.ts'
import { dropCreate } from './drop-create.ts'
import { dropFind, dropList } from './drop-read.ts'
import { dropLive } from './drop-live.ts'
import { dropUpdate } from './drop-update.ts'
import { exportRoutes } from './export.ts'
import { health, readiness } from './health.ts'
import { holdCreate } from './hold-create.ts'
import { holdFind } from './hold-read.ts'
import { holdRelease } from './hold-release.ts'
import { disputeFind, ledgerBalances, paymentFind, refundFind } from './money-read.ts'
import { orderCancel, orderFulfil } from './order-actions.ts'
import { orderFind } from './order-read.ts'
import { paymentAttach } from './payment-attach.ts'
import { paymentCreate } from './payment-create.ts'
import { refundCreate } from './refund-create.ts'
import { refundSettle } from './refund-settle.ts'
import { webhookRoutes } from './webhooks.ts'
import { webhookDeliveryFind, webhookDeliveryRetry } from './webhook-delivery.ts'
import { webhookEndpointFind, webhookEndpointList } from './webhook-endpoint-read.ts'
import {
  webhookEndpointCreate,
  webhookEndpointDelete,
  webhookEndpointUpdate,
  webhookReplay,
  webhookSecretRotate,
} from './webhook-endpoint-write.ts'
import type { Deps, Router } from '../api.ts'
import type { PlainRoute } from '../serve-plain.ts'
import type { ReadRoute, SlowReadRoute } from '../serve-read.ts'
import type { SlowWriteRoute } from '../serve-slow-write.ts'
import type { WebhookRoute } from '../serve-webhook.ts'
import type { WriteRoute } from '../serve-write.ts'
import type { HttpTransport } from '../transport.ts'

export type Route = WriteRoute | SlowWriteRoute | ReadRoute | SlowReadRoute | PlainRoute | WebhookRoute

const apiRoutes: readonly Route[] = [
  dropCreate,
  dropList,
  dropFind,
  dropLive,
  dropUpdate,
  ...dropActions,
  dropRestock,
  holdCreate,
  holdFind,
  holdRelease,
  holdErase,
  checkoutCreate,
  paymentCreate,
  paymentFind,
  paymentAttach,
  refundCreate,
  refundFind,
  refundSettle,
  disputeOpen,
  disputeFind,
  disputeClose,
  orderFind,
  orderCancel,
  orderFulfil,
  orderErase,
  customerErasureCreate,
  codeVerify,
  ledgerBalances,
  ...webhookRoutes,
  ...collectionLists,
  ...exportRoutes,
  apiKeyCreate,
  apiKeyList,
  apiKeyFind,
  apiKeyRoll,
  apiKeyRevoke,
  webhookEndpointCreate,
  webhookEndpointList,
  webhookEndpointFind,
  webhookEndpointUpdate,
  webhookEndpointDelete,
  webhookSecretRotate,
  webhookReplay,
  webhookDeliveryFind,
  webhookDeliveryRetry,
  health,
  readiness,
]

/** Every route, in the order of the documents. */
export const routes: readonly Route[] = [...apiRoutes, ...documentRoutes(apiRoutes)]

/** Serves `routes` on any transport; `more`: what is no part of the API. */
export function serveRoutes(transport: HttpTransport, deps: Deps, more?: (router: Router) => void): void {
  const methodsByPath = new Map<string, string[]>()
  const router: Router = {
    route: (method, path, handler) => {
      methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), method])
      transport.route(method, path, handler)
    },
  }
  for (const route of routes) {
    switch (route.kind) {
      case 'write':
        serveWrite(router, route, deps)
        break
      case 'slow_write':
        serveSlowWrite(router, route, deps)
        break
      case 'read':
        serveRead(router, route, deps)
        break
      case 'slow_read':
        serveSlowRead(router, route, deps)
        break
      case 'webhook':
        serveWebhook(router, route, deps)
        break
      case 'plain':
        servePlain(router, route, deps)
    }
  }
  more?.(router)
  if (deps.legacy.isServed) serveLegacy(router, deps)
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
      return sendProblem(exchange, deps, problem('route_not_found', `There is no route ${path}. All routes: /docs.`))
    }
    const { allowed } = match
    sendProblem(exchange, deps, problem('method_not_allowed', `${path} has ${allowed}, not ${method}.`), [
      'Allow',
      allowed,
    ])
  })
}
