import { expect, expectTypeOf, it } from 'vitest'
import { problemKinds } from '@penstock/http/problem.ts'
import { problemCodes } from '@penstock/sdk/index.ts'
import type { Static, TSchema } from 'typebox'
import type { Scope } from '@penstock/domain/api-key.ts'
import type { CollectionName, FilterName } from '@penstock/store/scanner.ts'
import type * as wire from '@penstock/wire/objects.ts'
import type * as sdk from '@penstock/sdk/index.ts'

/** The SDK imports nothing of ours, so what it says again is compared here. It may know more values than this server. */

it('the SDK knows every problem the server can answer', () => {
  const known: readonly string[] = problemCodes
  expect(Object.keys(problemKinds).filter((code) => !known.includes(code))).toEqual([])
})

it('the SDK knows every scope', () => {
  expectTypeOf<Scope>().toExtend<sdk.Scope>()
})

/** The fields, all the way down, whatever their values. */
type Fields<Value> = Value extends readonly (infer Item)[]
  ? readonly Fields<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]-?: Fields<Value[Name]> }
    : 'value'

/** The SDK's type of each object of the API. */
interface Pairs {
  readonly sku: [sdk.Sku, typeof wire.skuObject]
  readonly drop: [DropOf<sdk.Drop>, typeof wire.dropObject]
  readonly customer: [sdk.Customer, typeof wire.customerObject]
  readonly fee: [sdk.Fee, typeof wire.feeObject]
  readonly hold: [sdk.Hold, typeof wire.holdObject]
  readonly checkout: [sdk.Checkout, typeof wire.checkoutObject]
  readonly payment: [sdk.Payment, typeof wire.paymentObject]
  readonly order: [sdk.Order, typeof wire.orderObject]
  readonly orderWithCodes: [sdk.OrderWithCodes, typeof wire.orderWithCodesObject]
  readonly code: [sdk.VerifiedCode, typeof wire.codeObject]
  readonly refund: [sdk.Refund, typeof wire.refundObject]
  readonly dispute: [sdk.Dispute, typeof wire.disputeObject]
  readonly ledgerEntry: [sdk.LedgerEntry, typeof wire.ledgerEntryObject]
  readonly ledgerBalance: [sdk.LedgerBalance, typeof wire.ledgerBalanceObject]
  readonly event: [sdk.PenstockEvent, typeof wire.eventObject]
  readonly apiKey: [sdk.ApiKey, typeof wire.apiKeyObject]
  readonly apiKeyWithSecret: [sdk.ApiKeyWithSecret, typeof wire.apiKeyWithSecretObject]
  readonly webhookEndpoint: [sdk.WebhookEndpoint, typeof wire.webhookEndpointObject]
  readonly webhookEndpointWithSecret: [sdk.WebhookEndpointWithSecret, typeof wire.webhookEndpointWithSecretObject]
  readonly deletedWebhookEndpoint: [sdk.DeletedWebhookEndpoint, typeof wire.deletedWebhookEndpointObject]
  readonly webhookDelivery: [sdk.WebhookDelivery, typeof wire.webhookDeliveryObject]
}

/** The SDK tells the two kinds of fees apart, which the schema does not. */
type DropOf<Drop extends sdk.Drop> = Omit<Drop, 'fees'> & {
  readonly fees: readonly Static<typeof wire.feeRuleObject>[]
}

/** `true` for each object of which the SDK has the very fields that are sent, with every value that is sent. */
type Agreement = {
  [Name in keyof Pairs]: Pairs[Name] extends [infer Sdk, infer Schema extends TSchema]
    ? [Static<Schema>, Fields<Static<Schema>>, Fields<Sdk>] extends [Sdk, Fields<Sdk>, Fields<Static<Schema>>]
      ? true
      : false
    : false
}

it('the SDK has the fields of every object, and takes every value of them', () => {
  expectTypeOf<Agreement>().toEqualTypeOf<Readonly<Record<keyof Pairs, true>>>()
})

/** The parameters of the SDK's lists. */
interface ListParams {
  readonly holds: sdk.HoldListParams
  readonly payments: sdk.PaymentListParams
  readonly orders: sdk.OrderListParams
  readonly refunds: sdk.RefundListParams
  readonly disputes: sdk.DisputeListParams
  readonly ledger_entries: sdk.LedgerEntryListParams
  readonly events: sdk.EventListParams
  readonly webhook_deliveries: sdk.WebhookDeliveryListParams
}

type Common = keyof sdk.ListParams | keyof sdk.CreatedParams
type Filters = { readonly [Name in keyof ListParams]: Exclude<keyof ListParams[Name], Common> }

it('the SDK has every list with its filters, and exports them', () => {
  expectTypeOf<Filters>().toEqualTypeOf<{ readonly [Name in CollectionName]: FilterName<Name> }>()
  expectTypeOf<sdk.ExportedNoun>().toEqualTypeOf<CollectionName>()
  expectTypeOf<Exclude<keyof sdk.ExportParams, keyof sdk.CreatedParams | 'format'>>().toEqualTypeOf<
    FilterName<CollectionName>
  >()
})
