import { ApiKeys } from './api-keys.ts'
import { Codes } from './codes.ts'
import { Customers } from './customers.ts'
import { Disputes } from './disputes.ts'
import { Drops } from './drops.ts'
import { Events } from './events.ts'
import { Exports } from './exports.ts'
import { Holds } from './holds.ts'
import { Ledger } from './ledger.ts'
import { Orders } from './orders.ts'
import { Payments } from './payments.ts'
import { Refunds } from './refunds.ts'
import { Transport } from './transport.ts'
import { WebhookDeliveries } from './webhook-deliveries.ts'
import { WebhookEndpoints } from './webhook-endpoints.ts'
import type { PenstockOptions } from './options.ts'

/**
 * A client of one Penstock server with one key. Keep it: it remembers what it has seen, so that its reads see its writes.
 * Calls reject with ProblemError, ConnectionError or TimeoutError, or with the reason of your own AbortSignal.
 */
export class Penstock {
  readonly drops: Drops
  readonly holds: Holds
  readonly payments: Payments
  readonly refunds: Refunds
  readonly disputes: Disputes
  readonly orders: Orders
  readonly customers: Customers
  readonly codes: Codes
  readonly ledger: Ledger
  readonly apiKeys: ApiKeys
  readonly events: Events
  readonly exports: Exports
  readonly webhookEndpoints: WebhookEndpoints
  readonly webhookDeliveries: WebhookDeliveries

  /** Throws TypeError for a `baseUrl` or `apiKey` that cannot be one, RangeError for a bound that is none. */
  constructor(options: PenstockOptions) {
    const transport = new Transport(options)
    this.drops = new Drops(transport)
    this.holds = new Holds(transport)
    this.payments = new Payments(transport)
    this.refunds = new Refunds(transport)
    this.disputes = new Disputes(transport)
    this.orders = new Orders(transport)
    this.customers = new Customers(transport)
    this.codes = new Codes(transport)
    this.ledger = new Ledger(transport)
    this.apiKeys = new ApiKeys(transport)
    this.events = new Events(transport)
    this.exports = new Exports(transport)
    this.webhookEndpoints = new WebhookEndpoints(transport)
    this.webhookDeliveries = new WebhookDeliveries(transport)
  }
}
