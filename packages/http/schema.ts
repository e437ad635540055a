import Type from 'typebox'
import { outboxEventTypes } from '@penstock/domain/outbox-event.ts'
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
  keyOverlapDefaultMs,
  keyOverlapMaxMs,
  linesPerHoldMax,
  maxPerCustomerMax,
  maxPerOrderMax,
  nameLengthMax,
  phoneLengthMax,
  providerLengthMax,
  quantityPerLineMax,
  reasonLengthMax,
  secretLengthMax,
  skusPerDropMax,
  stockMax,
  unitAmountMax,
  webhookOverlapDefaultMs,
  webhookOverlapMaxMs,
} from '@penstock/domain/limits.ts'
import { eventId } from '@penstock/wire/objects.ts'
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
  oneOf,
  orNull,
  strict,
  text,
  url,
  whole,
  wireTime,
} from '@penstock/wire/schema-fields.ts'

/**
 * What clients may send, as JSON Schema. A schema with a `title` has a page of its own in the documents.
 */

const skuName = text('a text', nameLengthMax, { example: 'Size 42' })
const unitAmount = minorUnits(unitAmountMax)
const holdTtl = whole(holdTtlMinMs / 1_000, holdTtlMaxMs / 1_000, 600)
const maxPerOrder = orNull(whole(1, maxPerOrderMax, 4))
const newSku = Type.Object(
  { name: skuName, unit_amount: unitAmount, stock: whole(0, stockMax, 500), max_per_order: maxPerOrder },
  { ...strict, title: 'NewSku' },
)

/** Either an amount or basis points: `fee-rules.ts` checks it. */
const feeRule = Type.Object(
  {
    name: feeName,
    kind: feeKind,
    amount: Type.Optional(whole(0, amountMax, 490)),
    basis_points: Type.Optional(whole(0, basisPointsMax, 1_900)),
  },
  { ...strict, title: 'NewFee', description: 'a fee with either amount or basis_points', examples: [feeExample] },
)

/** What a drop may do without, and a seller may change at any time. */
const dropOptions = {
  ends_at: orNull(wireTime),
  hold_ttl: Type.Optional(holdTtl),
  max_per_customer: orNull(whole(1, maxPerCustomerMax)),
  late_payment: Type.Optional(latePayment),
  fees: Type.Optional(
    Type.Array(feeRule, { maxItems: feesPerDropMax, description: `a list of at most ${feesPerDropMax} fees` }),
  ),
  description: orNull(longText),
  image: orNull(url),
  metadata: Type.Optional(metadata),
}

export const dropCreateBody = Type.Object(
  {
    name,
    currency,
    skus: Type.Array(newSku, {
      minItems: 1,
      maxItems: skusPerDropMax,
      description: `a list of 1 to ${skusPerDropMax} SKUs`,
    }),
    starts_at: orNull(wireTime),
    ...dropOptions,
  },
  { ...strict, title: 'DropCreate' },
)

/** A SKU with `id` is changed, one without is added. */
const skuChange = Type.Object(
  {
    id: Type.Optional(id('sku')),
    name: Type.Optional(skuName),
    unit_amount: Type.Optional(unitAmount),
    stock: Type.Optional(whole(0, stockMax)),
    max_per_order: maxPerOrder,
  },
  { ...strict, title: 'SkuChange' },
)

export const dropUpdateBody = Type.Object(
  {
    name: Type.Optional(name),
    starts_at: Type.Optional(wireTime),
    ...dropOptions,
    skus: Type.Optional(Type.Array(skuChange, { minItems: 1, maxItems: skusPerDropMax })),
  },
  { ...strict, title: 'DropUpdate' },
)

export const emptyBody = Type.Object({}, { ...strict, title: 'Empty' })

export const restockBody = Type.Object(
  {
    sku: id('sku'),
    quantity: Type.Integer({
      minimum: -stockMax,
      maximum: stockMax,
      not: { const: 0 },
      description: `a whole number from ${-stockMax} to ${stockMax} but 0: units to add, or to take away when negative`,
      examples: [25],
    }),
  },
  { ...strict, title: 'Restock' },
)

const address = Type.Object(
  {
    line1: text('a text', addressLengthMax, { example: 'Hauptstr. 1' }),
    line2: orNull(text('a text', addressLengthMax)),
    city: text('a text', addressLengthMax, { example: 'Köln' }),
    state: orNull(text('a text', addressLengthMax)),
    postal_code: orNull(text('a text', addressLengthMax, { example: '50667' })),
    country: Type.String({
      pattern: '^[A-Z]{2}$',
      description: 'an upper-case ISO 3166 code, such as DE',
      examples: ['DE'],
    }),
  },
  { ...strict, title: 'NewAddress', description: 'an address' },
)

const customer = Type.Object(
  {
    email: text('an e-mail address', emailLengthMax, { pattern: '^[^\\s@]+@[^\\s@]+$', example: 'ada@example.com' }),
    phone: orNull(
      text('a phone number of digits, spaces and + ( ) . -', phoneLengthMax, {
        pattern: '^\\+?[0-9 ().-]*[0-9][0-9 ().-]*$',
        example: '+49 221 1234567',
      }),
    ),
    external_id: orNull(text('a text', externalIdLengthMax, { example: 'user-17' })),
    name: orNull(text('a text', nameLengthMax, { example: 'Ada Lovelace' })),
    shipping_address: orNull(address),
  },
  { ...strict, title: 'NewCustomer', description: 'a customer with an e-mail address' },
)

const lines = Type.Array(Type.Object({ sku: id('sku'), quantity: whole(1, quantityPerLineMax) }, strict), {
  minItems: 1,
  maxItems: linesPerHoldMax,
  description: `a list of 1 to ${linesPerHoldMax} lines`,
})

export const holdCreateBody = Type.Object(
  {
    drop: id('drop'),
    lines,
    customer,
    replace: orNull(
      Type.Object(
        {
          hold: id('hold'),
          client_secret: Type.Optional(
            text('a client secret', secretLengthMax, { example: 'cs_5n0Yq2cH1uPZr8sVd3mWk7xLb9tGf4eA' }),
          ),
        },
        { ...strict, description: 'an older hold to give back, with its client_secret' },
      ),
    ),
  },
  { ...strict, title: 'HoldCreate' },
)

export const paymentCreateBody = Type.Object(
  {
    hold: id('hold'),
    provider: text('a provider name of a-z, 0-9 and _', providerLengthMax, {
      pattern: '^[a-z][a-z0-9_]*$',
      example: 'manual',
    }),
    provider_payment_id: text('the payment id of the provider', externalIdLengthMax, { example: 'bank-transfer-1' }),
    amount,
    currency,
  },
  { ...strict, title: 'PaymentCreate' },
)

const restock = Type.Optional(Type.Boolean({ description: 'true or false', examples: [true] }))
const reason = orNull(text('a text', reasonLengthMax, { example: 'Too small' }))

export const paymentAttachBody = Type.Object({ hold: id('hold') }, { ...strict, title: 'PaymentAttach' })

/** Without amount and lines: all that is left. */
export const refundCreateBody = Type.Object(
  { payment: id('payment'), amount: Type.Optional(amount), lines: Type.Optional(lines), restock, reason },
  { ...strict, title: 'RefundCreate' },
)

export const refundSettleBody = Type.Object(
  { status: oneOf(['succeeded', 'failed']) },
  { ...strict, title: 'RefundSettle' },
)

export const disputeOpenBody = Type.Object(
  {
    payment: id('payment'),
    provider_dispute_id: text('the dispute id of the provider', externalIdLengthMax, { example: 'case-1' }),
    amount: Type.Optional(minorUnits(amountMax, 1)),
    reason,
  },
  { ...strict, title: 'DisputeOpen' },
)

export const disputeCloseBody = Type.Object({ status: oneOf(['won', 'lost']) }, { ...strict, title: 'DisputeClose' })

export const orderCancelBody = Type.Object({ restock, reason }, { ...strict, title: 'OrderCancel' })

/** A publishable key has no scopes: the route refuses them. */
export const apiKeyCreateBody = Type.Object(
  {
    kind: apiKeyKind,
    name: orNull(text('a text', nameLengthMax, { example: 'Warehouse' })),
    scopes: Type.Optional(apiKeyScopes(1)),
    expires_at: orNull(wireTime),
  },
  { ...strict, title: 'ApiKeyCreate' },
)

export const apiKeyRollBody = Type.Object(
  { overlap: Type.Optional({ ...whole(0, keyOverlapMaxMs / 1_000, 86_400), default: keyOverlapDefaultMs / 1_000 }) },
  { ...strict, title: 'ApiKeyRoll' },
)

const webhookEvents = Type.Array(
  Type.Enum(['*', ...outboxEventTypes], {
    description: `* for all, or one of ${outboxEventTypes.join(', ')}`,
    examples: ['payment.captured'],
  }),
  {
    minItems: 1,
    maxItems: outboxEventTypes.length + 1,
    uniqueItems: true,
    description: `a list of different types of events (${outboxEventTypes.join(', ')}), or of * for all`,
  },
)
const webhookDescription = orNull(text('a text', descriptionLengthMax, { example: 'Warehouse' }))

/** `findUrlFault` of the domain says what else a URL must be. */
export const webhookEndpointCreateBody = Type.Object(
  { url, events: webhookEvents, description: webhookDescription },
  { ...strict, title: 'WebhookEndpointCreate' },
)

export const webhookEndpointUpdateBody = Type.Object(
  {
    url: Type.Optional(url),
    events: Type.Optional(webhookEvents),
    description: webhookDescription,
    status: Type.Optional(oneOf(['enabled', 'disabled'])),
  },
  { ...strict, title: 'WebhookEndpointUpdate' },
)

export const webhookSecretRotateBody = Type.Object(
  {
    overlap: Type.Optional({
      ...whole(0, webhookOverlapMaxMs / 1_000, 86_400),
      default: webhookOverlapDefaultMs / 1_000,
    }),
  },
  { ...strict, title: 'WebhookSecretRotate' },
)

const replayBound = Type.Union([eventId, wireTime], {
  description: 'the id of an event, or a time in Unix seconds',
  examples: ['evt_42'],
})

export const webhookReplayBody = Type.Object(
  { from: replayBound, to: Type.Optional(replayBound) },
  { ...strict, title: 'WebhookReplay' },
)
