import Type from 'typebox'
import { codePattern } from '@penstock/domain/code.ts'
import { disputeStatuses } from '@penstock/domain/dispute.ts'
import { dropStatuses } from '@penstock/domain/drop.ts'
import { feeKinds } from '@penstock/domain/fee.ts'
import { holdStatuses } from '@penstock/domain/hold.ts'
import { ledgerEntryIdPattern } from '@penstock/domain/ledger-entry.ts'
import { orderStatuses } from '@penstock/domain/order.ts'
import { paymentReasons, paymentStatuses } from '@penstock/domain/payment.ts'
import { providerNames } from '@penstock/domain/provider-fact.ts'
import { refundStatuses } from '@penstock/domain/refund.ts'
import { eventIdPattern, outboxEventTypes } from '@penstock/domain/outbox-event.ts'
import {
  addressLengthMax,
  amountMax,
  basisPointsMax,
  descriptionLengthMax,
  emailLengthMax,
  externalIdLengthMax,
  feesPerDropMax,
  holdTtlMaxMs,
  holdTtlMinMs,
  linesPerHoldMax,
  maxPerCustomerMax,
  maxPerOrderMax,
  nameLengthMax,
  phoneLengthMax,
  providerIdLengthMax,
  providerLengthMax,
  quantityPerLineMax,
  reasonLengthMax,
  secretLengthMax,
  skusPerDropMax,
  stockMax,
  unitAmountMax,
  webhookAttemptsKept,
  webhookRetriesMax,
} from '@penstock/domain/limits.ts'
import {
  webhookDeliveryIdPattern,
  webhookDeliveryStatuses,
  webhookDisabledReasons,
  webhookFaults,
} from '@penstock/domain/webhook.ts'
import {
  amount,
  apiKeyKind,
  apiKeyScopes,
  currency,
  feeExample,
  feeKind,
  feeName,
  id,
  latePayment,
  longText,
  metadata,
  minorUnits,
  name,
  nullable,
  oneOf,
  text,
  url,
  whole,
  wireTime,
} from './schema-fields.ts'
import type { TLiteral, TObject, TSchema } from 'typebox'

/**
 * What clients get, as JSON Schema: the nouns of the API (DESIGN section 7). Fields may be added later, so unknown
 * ones are not forbidden here. `wire.ts` makes these objects, and does not compile when it makes others.
 */

const units = whole(0, stockMax, 500)
const unitAmount = minorUnits(unitAmountMax)

export const skuObject = Type.Object(
  {
    id: id('sku'),
    object: Type.Literal('sku'),
    name: text('a text', nameLengthMax, { example: 'Size 42' }),
    unit_amount: unitAmount,
    max_per_order: nullable(whole(1, maxPerOrderMax, 4)),
    stock: units,
    held: whole(0, stockMax, 3),
    sold: whole(0, stockMax, 120),
    available: whole(0, stockMax, 377),
  },
  { title: 'Sku' },
)

export const feeRuleObject = Type.Object(
  {
    name: feeName,
    kind: feeKind,
    amount: Type.Optional(amount),
    basis_points: Type.Optional(whole(0, basisPointsMax, 1_900)),
  },
  {
    title: 'FeeRule',
    description: 'a charge on top of the goods: an amount, or hundredths of a percent of the goods',
    examples: [feeExample],
  },
)

export const dropObject = Type.Object(
  {
    id: id('drop'),
    object: Type.Literal('drop'),
    status: Type.Enum([...dropStatuses], {
      description: `one of ${dropStatuses.join(', ')}: derived from the server's clock`,
      examples: ['live'],
    }),
    name,
    description: nullable(longText),
    image: nullable(url),
    currency,
    starts_at: wireTime,
    ends_at: nullable(wireTime),
    hold_ttl: whole(holdTtlMinMs / 1_000, holdTtlMaxMs / 1_000, 600),
    max_per_customer: nullable(whole(1, maxPerCustomerMax, 2)),
    late_payment: latePayment,
    fees: Type.Array(feeRuleObject, { maxItems: feesPerDropMax }),
    metadata,
    created: wireTime,
    skus: Type.Array(skuObject, { minItems: 1, maxItems: skusPerDropMax }),
    server_time: wireTime,
  },
  { title: 'Drop' },
)

const addressObject = Type.Object(
  {
    line1: text('a text', addressLengthMax, { example: 'Hauptstr. 1' }),
    line2: nullable(text('a text', addressLengthMax)),
    city: text('a text', addressLengthMax, { example: 'Köln' }),
    state: nullable(text('a text', addressLengthMax)),
    postal_code: nullable(text('a text', addressLengthMax, { example: '50667' })),
    country: Type.String({ pattern: '^[A-Z]{2}$', description: 'an upper-case ISO 3166 code', examples: ['DE'] }),
  },
  { title: 'Address' },
)

export const customerObject = Type.Object(
  {
    email: text('an e-mail address', emailLengthMax, { example: 'ada@example.com' }),
    phone: nullable(text('a phone number', phoneLengthMax, { example: '+49 221 1234567' })),
    external_id: nullable(text('a text', externalIdLengthMax, { example: 'user-17' })),
    name: Type.Optional(nullable(text('a text', nameLengthMax, { example: 'Ada Lovelace' }))),
    shipping_address: Type.Optional(nullable(addressObject)),
  },
  { title: 'Customer', description: 'a customer; name and shipping_address are shown to secret keys only' },
)

/** Null once it was erased. */
const customer = nullable(customerObject)

const lineFields = { sku: id('sku'), quantity: whole(1, quantityPerLineMax), unit_amount: unitAmount }
const lineObject = Type.Object(lineFields, { title: 'Line' })
const lineCount = { minItems: 1, maxItems: linesPerHoldMax }

export const feeObject = Type.Object(
  { name: feeName, kind: feeKind, amount },
  { title: 'Fee', description: 'what a fee came to when the hold was made' },
)
const fees = Type.Array(feeObject, { maxItems: feesPerDropMax })

export const holdObject = Type.Object(
  {
    id: id('hold'),
    object: Type.Literal('hold'),
    status: oneOf(holdStatuses),
    drop: id('drop'),
    lines: Type.Array(lineObject, lineCount),
    fees,
    amount,
    currency,
    customer,
    client_secret: text('a client secret', secretLengthMax, { example: 'cs_5n0Yq2cH1uPZr8sVd3mWk7xLb9tGf4eA' }),
    created: wireTime,
    expires_at: wireTime,
  },
  { title: 'Hold' },
)

/** Of most payments: none. */
const noAmount = minorUnits(amountMax, 0, 0)
const reason = nullable(text('a text', reasonLengthMax, { example: 'Too small' }))
const notYet = nullable(wireTime, null)

export const paymentObject = Type.Object(
  {
    id: id('payment'),
    object: Type.Literal('payment'),
    status: oneOf(paymentStatuses),
    reason: nullable(Type.Enum([...paymentReasons], { description: 'why money came without goods' }), null),
    hold: id('hold'),
    order: nullable(id('order')),
    provider: text('a provider name', providerLengthMax, { example: 'manual' }),
    provider_payment_id: text('the payment id of the provider', externalIdLengthMax, { example: 'bank-transfer-1' }),
    amount,
    amount_refunded: noAmount,
    amount_disputed: noAmount,
    currency,
    created: wireTime,
  },
  { title: 'Payment' },
)

const orderFields = {
  id: id('order'),
  object: Type.Literal('order'),
  status: oneOf(orderStatuses),
  drop: id('drop'),
  hold: id('hold'),
  payment: id('payment'),
  lines: Type.Array(
    Type.Object({ ...lineFields, quantity_refunded: whole(0, quantityPerLineMax, 0) }, { title: 'OrderLine' }),
    lineCount,
  ),
  fees,
  amount,
  amount_refunded: noAmount,
  currency,
  customer,
  created: wireTime,
  cancelled_at: notYet,
  fulfilled_at: notYet,
}

/** An order in a list, and after it was changed. */
export const orderObject = Type.Object(orderFields, { title: 'Order' })

export const codeText = Type.String({
  pattern: codePattern,
  description: 'the code of a unit of an order',
  examples: ['pc_01k9ze0000e8b9x3m7q2w5r6t4_0_5n0yq2ch1vpzr8sj'],
})

const unitCodeObject = Type.Object(
  { code: codeText, sku: id('sku'), status: oneOf(['valid', 'used', 'void']), used_at: notYet },
  { title: 'UnitCode' },
)

/** An order read by itself. */
export const orderWithCodesObject = Type.Object(
  {
    ...orderFields,
    codes: Type.Array(unitCodeObject, { minItems: 1, maxItems: linesPerHoldMax * quantityPerLineMax }),
  },
  { title: 'OrderWithCodes' },
)

/** A code that was just used. */
export const codeObject = Type.Object(
  {
    object: Type.Literal('code'),
    code: codeText,
    order: id('order'),
    sku: id('sku'),
    status: Type.Literal('used'),
    used_at: wireTime,
  },
  { title: 'Code' },
)

export const refundObject = Type.Object(
  {
    id: id('refund'),
    object: Type.Literal('refund'),
    status: oneOf(refundStatuses),
    payment: id('payment'),
    order: nullable(id('order')),
    amount,
    currency,
    reason,
    lines: Type.Array(
      Type.Object(
        { sku: id('sku'), quantity: whole(1, linesPerHoldMax * quantityPerLineMax) },
        { title: 'RefundLine', description: 'units of one SKU' },
      ),
      { maxItems: linesPerHoldMax },
    ),
    restock: Type.Boolean({ examples: [true] }),
    created: wireTime,
    settled_at: notYet,
  },
  { title: 'Refund' },
)

export const disputeObject = Type.Object(
  {
    id: id('dispute'),
    object: Type.Literal('dispute'),
    status: oneOf(disputeStatuses),
    payment: id('payment'),
    provider_dispute_id: text('the dispute id of the provider', externalIdLengthMax, { example: 'case-1' }),
    amount: minorUnits(amountMax, 1),
    currency,
    reason,
    created: wireTime,
    closed_at: notYet,
  },
  { title: 'Dispute' },
)

export const checkoutObject = Type.Object(
  {
    object: Type.Literal('checkout'),
    provider: oneOf(providerNames),
    provider_payment_id: text('the payment id of the provider', providerIdLengthMax, { example: 'pi_1' }),
    hold: id('hold'),
    amount: minorUnits(amountMax, 0),
    currency,
    url: nullable(
      Type.String({ minLength: 1, description: 'the page to send the buyer to', examples: ['https://pay.example'] }),
    ),
    client_secret: nullable(
      Type.String({
        minLength: 1,
        description: "for the provider's library in the browser",
        examples: ['pi_1_secret_2'],
      }),
    ),
    expires_at: wireTime,
  },
  { title: 'Checkout' },
)

export const webhookObject = Type.Object(
  {
    object: Type.Literal('webhook'),
    outcome: oneOf(['captured', 'refund_due', 'unmatched', 'applied', 'waiting', 'closed', 'conflict', 'ignored']),
  },
  { title: 'Webhook' },
)

const account = Type.String({
  pattern: `^(cash:[a-z][a-z0-9_]{0,${providerLengthMax - 1}}|sales|fees:(${feeKinds.join('|')})|refunds_due|disputes)$`,
  description: 'an account of the ledger',
  examples: ['cash:manual'],
})

export const ledgerEntryId = Type.String({
  pattern: ledgerEntryIdPattern,
  description: 'the id of a ledger entry',
  examples: ['le_42'],
})

export const ledgerEntryObject = Type.Object(
  {
    id: ledgerEntryId,
    object: Type.Literal('ledger_entry'),
    payment: id('payment'),
    cause: nullable(
      Type.Union([id('refund'), id('dispute'), id('hold')], {
        description: 'the refund, the dispute or the attached hold that moved the money',
      }),
      null,
    ),
    debit: account,
    credit: { ...account, examples: ['sales'] },
    amount,
    currency,
    created: wireTime,
  },
  { title: 'LedgerEntry', description: 'an amount that left the account credit and entered debit' },
)

export const ledgerBalanceObject = Type.Object(
  {
    object: Type.Literal('ledger_balance'),
    account,
    currency,
    balance: Type.Integer({
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'debits minus credits, in minor units',
      examples: [4_999],
    }),
  },
  { title: 'LedgerBalance' },
)

export const eventId = Type.String({
  pattern: eventIdPattern,
  description: 'the id of an event',
  examples: ['evt_42'],
})

export const eventObject = Type.Object(
  {
    id: eventId,
    object: Type.Literal('event'),
    seq: whole(1, Number.MAX_SAFE_INTEGER, 42),
    type: Type.Enum([...outboxEventTypes], { description: 'what happened', examples: ['payment.captured'] }),
    object_id: Type.String({
      pattern: '^[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$',
      description: 'the id of what it happened to',
      examples: ['pay_01k9ze0000e8b9x3m7q2w5r6t4'],
    }),
    created: wireTime,
  },
  { title: 'Event' },
)

const apiKeyFields = {
  id: id('key'),
  object: Type.Literal('api_key'),
  kind: apiKeyKind,
  name: nullable(text('a text', nameLengthMax, { example: 'Warehouse' })),
  scopes: apiKeyScopes(0),
  hint: Type.String({
    pattern: '^(sk|pk)_(test|live)_….{4}$',
    description: 'what people recognise the key by',
    examples: ['sk_test_…x9Kd'],
  }),
  created: wireTime,
  expires_at: notYet,
  revoked_at: notYet,
  last_used_at: notYet,
}

export const apiKeyObject = Type.Object(apiKeyFields, { title: 'ApiKey' })

/** A key that was just made. */
export const apiKeyWithSecretObject = Type.Object(
  {
    ...apiKeyFields,
    secret: Type.Optional(
      Type.String({
        pattern: '^(sk|pk)_(test|live)_[A-Za-z0-9_-]+$',
        description: 'the key itself, in this answer and never again; a replay does not have it',
        examples: ['sk_test_5n0Yq2cH1uPZr8sVd3mWk7xLb9tGx9Kd'],
      }),
    ),
  },
  { title: 'ApiKeyWithSecret' },
)

const webhookEvents = Type.Array(
  Type.Enum(['*', ...outboxEventTypes], {
    description: 'a type of event, or * for all',
    examples: ['payment.captured'],
  }),
  { minItems: 1, maxItems: outboxEventTypes.length + 1, uniqueItems: true },
)

const webhookEndpointFields = {
  id: id('webhook_endpoint'),
  object: Type.Literal('webhook_endpoint'),
  status: oneOf(['enabled', 'disabled']),
  disabled_reason: nullable(oneOf(webhookDisabledReasons), null),
  url,
  events: webhookEvents,
  description: nullable(text('a text', descriptionLengthMax, { example: 'Warehouse' })),
  failing_since: notYet,
  replay: nullable(
    Type.Object({ next: eventId, to: eventId }, { title: 'Replay', description: 'what is being sent again' }),
    null,
  ),
  created: wireTime,
}

export const webhookEndpointObject = Type.Object(webhookEndpointFields, { title: 'WebhookEndpoint' })

/** One whose secret was just made. */
export const webhookEndpointWithSecretObject = Type.Object(
  {
    ...webhookEndpointFields,
    secret: Type.Optional(
      Type.String({
        pattern: '^whsec_[A-Za-z0-9+/]+=*$',
        description: 'what requests are signed with, in this answer and never again; a replay does not have it',
        examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      }),
    ),
  },
  { title: 'WebhookEndpointWithSecret' },
)

export const deletedWebhookEndpointObject = Type.Object(
  { id: id('webhook_endpoint'), object: Type.Literal('webhook_endpoint'), deleted: Type.Literal(true) },
  { title: 'DeletedWebhookEndpoint' },
)

export const webhookDeliveryId = Type.String({
  pattern: webhookDeliveryIdPattern,
  description: 'the id of a webhook delivery',
  examples: ['whd_42'],
})

export const webhookDeliveryObject = Type.Object(
  {
    id: webhookDeliveryId,
    object: Type.Literal('webhook_delivery'),
    status: oneOf(webhookDeliveryStatuses),
    endpoint: id('webhook_endpoint'),
    event: eventId,
    type: Type.Enum([...outboxEventTypes], { description: 'what happened', examples: ['payment.captured'] }),
    webhook_id: Type.String({
      pattern: '^evt_[1-9][0-9]*_whe_[0-9a-z]{26}$',
      description: 'the header webhook-id of every attempt',
      examples: ['evt_42_whe_01k9ze0000e8b9x3m7q2w5r6t4'],
    }),
    failures: whole(0, webhookRetriesMax + 1, 0),
    next_attempt_at: notYet,
    attempts: Type.Array(
      Type.Object(
        {
          created: wireTime,
          duration_ms: whole(0, Number.MAX_SAFE_INTEGER, 87),
          status: nullable(whole(100, 999, 200)),
          fault: nullable(oneOf(webhookFaults), null),
        },
        { title: 'WebhookAttempt' },
      ),
      { maxItems: webhookAttemptsKept },
    ),
    created: wireTime,
  },
  { title: 'WebhookDelivery' },
)

/** What can be in a list. */
export type ListedObject = TObject<{ object: TLiteral } & Record<string, TSchema>>

const listFields = <Item extends ListedObject>(item: Item) => ({
  object: Type.Literal('list'),
  data: Type.Array(item),
  has_more: Type.Boolean({ examples: [false] }),
})

/** The envelope of a list, newest first. `title` names the list in the documents. */
export function listOf<Item extends ListedObject>(item: Item, title: string) {
  return Type.Object(listFields(item), { title })
}

/** The same of a list that may run out of time before its page is full. `cursor`: the ids of its items. */
export function slowListOf<Item extends ListedObject>(item: Item, cursor: TSchema, title: string) {
  const scannedTo = {
    ...cursor,
    description: 'where to go on; present when time ran out before the page was full',
  }
  const hasMore = Type.Boolean({ examples: [true] })
  return Type.Object({ ...listFields(item), has_more: hasMore, scanned_to: Type.Optional(scannedTo) }, { title })
}

export const healthObject = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' })

export const customerErasureObject = Type.Object(
  {
    object: Type.Literal('customer_erasure'),
    erased: whole(0, Number.MAX_SAFE_INTEGER, 3),
    has_more: Type.Boolean({ description: 'whether there are holds that were not looked at', examples: [false] }),
    scanned_to: nullable(id('hold'), null),
  },
  { title: 'CustomerErasure' },
)
