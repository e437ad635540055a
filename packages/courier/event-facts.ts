import {
  wireDispute,
  wireApiKey,
  wireDrop,
  wireHold,
  wireOrder,
  wirePayment,
  wireRefund,
  wireWebhookEndpoint,
} from '@penstock/wire/wire.ts'
import type { NumberedEvent } from '@penstock/store/scanner.ts'
import type { Queries } from '@penstock/store/queries.ts'

type ObjectQueries = Pick<
  Queries,
  | 'findDrop'
  | 'findHold'
  | 'findOrder'
  | 'findPayment'
  | 'findRefund'
  | 'findDispute'
  | 'findApiKey'
  | 'findWebhookEndpoint'
>

/** `payment` of `payment.captured`. */
function nounOf({ event }: NumberedEvent): string {
  return event.type.slice(0, event.type.indexOf('.'))
}

/**
 * What events must stay in order with: all that is about one order has the hold that was first paid for, everything else
 * its own object. It never changes, so that an event means the same line before and after a restart.
 */
export function streamOf(numbered: NumberedEvent, queries: ObjectQueries): string {
  const { objectId } = numbered.event
  const ofPayment = (id: string | undefined): string =>
    (id === undefined ? null : queries.findPayment(id))?.holdId ?? objectId
  switch (nounOf(numbered)) {
    case 'payment':
      return ofPayment(objectId)
    case 'order':
      return ofPayment(queries.findOrder(objectId)?.order.paymentId)
    case 'refund':
      return ofPayment(queries.findRefund(objectId)?.paymentId)
    case 'dispute':
      return ofPayment(queries.findDispute(objectId)?.paymentId)
    default:
      return objectId
  }
}

/**
 * The body of a webhook: `{type, timestamp, data}` of Standard Webhooks 1.0, and the id of the event. `data` is the object
 * as the API shows it to a secret key at `nowMs`, not as it was when the event happened; one that is gone has its id only.
 */
export function renderEvent(numbered: NumberedEvent, queries: ObjectQueries, nowMs: number): string {
  const { id, event } = numbered
  const data = findObject(numbered, queries, nowMs) ?? { id: event.objectId }
  return JSON.stringify({ id, type: event.type, timestamp: new Date(event.createdMs).toISOString(), data })
}

function findObject(numbered: NumberedEvent, queries: ObjectQueries, nowMs: number): object | null {
  const { objectId } = numbered.event
  switch (nounOf(numbered)) {
    case 'drop':
      return mapFound(queries.findDrop(objectId), ({ drop, skus }) => wireDrop(drop, skus, nowMs))
    case 'hold':
      return mapFound(queries.findHold(objectId), (hold) => wireHold(hold, nowMs, 'secret'))
    case 'payment':
      return mapFound(queries.findPayment(objectId), wirePayment)
    case 'order':
      return mapFound(queries.findOrder(objectId), (order) => wireOrder(order, 'secret'))
    case 'refund':
      return mapFound(queries.findRefund(objectId), wireRefund)
    case 'dispute':
      return mapFound(queries.findDispute(objectId), wireDispute)
    case 'api_key':
      return mapFound(queries.findApiKey(objectId), wireApiKey)
    case 'webhook_endpoint':
      return mapFound(queries.findWebhookEndpoint(objectId), wireWebhookEndpoint)
    default:
      return null
  }
}

function mapFound<Value>(value: Value | null, toWire: (value: Value) => object): object | null {
  return value === null ? null : toWire(value)
}
