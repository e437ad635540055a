import Type from 'typebox'
import { feeKinds } from '@penstock/domain/fee.ts'
import { idPattern } from '@penstock/domain/id.ts'
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
  metadataKeyLengthMax,
  metadataKeysMax,
  metadataValueLengthMax,
  nameLengthMax,
  phoneLengthMax,
  providerLengthMax,
  quantityPerLineMax,
  reasonLengthMax,
  secretLengthMax,
  skusPerDropMax,
  stockMax,
  unitAmountMax,
  urlLengthMax,
  wireTimeMax,
} from '@penstock/domain/limits.ts'
import { currencies } from '@penstock/domain/money.ts'
import type { IdKind } from '@penstock/domain/id.ts'

/**
 * What clients may send, as JSON Schema. The `description` of a field completes "FIELD must be …" in errors.
 * Unknown fields are refused everywhere, so that a misspelt option is an error and not a surprise.
 */

const strict = { additionalProperties: false }

function text(description: string, maxLength: number, pattern?: string) {
  const range = { minLength: 1, maxLength, description: `${description}, 1 to ${maxLength} characters` }
  return Type.String(pattern === undefined ? range : { ...range, pattern })
}

function whole(minimum: number, maximum: number) {
  return Type.Integer({ minimum, maximum, description: `a whole number from ${minimum} to ${maximum}` })
}

function amount(minimum: number) {
  const description = `a whole number of minor units from ${minimum} to ${amountMax}`
  return Type.Integer({ minimum, maximum: amountMax, description })
}

function orNull<Schema extends Type.TSchema>(schema: Schema) {
  return Type.Optional(Type.Union([schema, Type.Null()], { description: `${describe(schema)}, or null` }))
}

function describe(schema: Type.TSchema): string {
  return 'description' in schema && typeof schema.description === 'string' ? schema.description : 'a valid value'
}

function id(kind: IdKind) {
  return Type.String({ pattern: idPattern(kind), description: `the id of a ${kind}` })
}

const name = text('a text', nameLengthMax)
const url = text('a URL that starts with http:// or https://', urlLengthMax, '^https?://[^\\s]+$')
const wireTime = Type.Integer({
  minimum: 0,
  maximum: wireTimeMax,
  description: 'a time in Unix seconds (not milliseconds)',
})
const currency = Type.Enum([...currencies], {
  description: 'a lower-case ISO 4217 code that Penstock knows, such as usd',
})
const unitAmount = Type.Integer({
  minimum: 0,
  maximum: unitAmountMax,
  description: `a whole number of minor units from 0 to ${unitAmountMax}`,
})
const latePayment = Type.Enum(['reacquire', 'refund'], { description: 'reacquire or refund' })
const holdTtl = whole(holdTtlMinMs / 1_000, holdTtlMaxMs / 1_000)
const metadata = Type.Record(
  // Not __proto__: in JavaScript it is not a field like others.
  Type.String({ pattern: `^(?!__proto__$)[A-Za-z0-9_.-]{1,${metadataKeyLengthMax}}$` }),
  Type.String({
    maxLength: metadataValueLengthMax,
    description: `a text of at most ${metadataValueLengthMax} characters`,
  }),
  {
    additionalProperties: false,
    maxProperties: metadataKeysMax,
    description: `an object of at most ${metadataKeysMax} texts`,
  },
)
const maxPerOrder = orNull(whole(1, maxPerOrderMax))
const newSku = Type.Object(
  { name, unit_amount: unitAmount, stock: whole(0, stockMax), max_per_order: maxPerOrder },
  strict,
)

/** Either an amount or basis points: `fee-rules.ts` checks it. */
const feeRule = Type.Object(
  {
    name,
    kind: Type.Enum([...feeKinds], { description: feeKinds.join(' or ') }),
    amount: Type.Optional(whole(0, amountMax)),
    basis_points: Type.Optional(whole(0, basisPointsMax)),
  },
  strict,
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
  description: orNull(text('a text', descriptionLengthMax)),
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
  strict,
)

/** A SKU with `id` is changed, one without is added. */
const skuChange = Type.Object(
  {
    id: Type.Optional(id('sku')),
    name: Type.Optional(name),
    unit_amount: Type.Optional(unitAmount),
    stock: Type.Optional(whole(0, stockMax)),
    max_per_order: maxPerOrder,
  },
  strict,
)

export const dropUpdateBody = Type.Object(
  {
    name: Type.Optional(name),
    starts_at: Type.Optional(wireTime),
    ...dropOptions,
    skus: Type.Optional(Type.Array(skuChange, { minItems: 1, maxItems: skusPerDropMax })),
  },
  strict,
)

export const emptyBody = Type.Object({}, strict)

export const restockBody = Type.Object(
  {
    sku: id('sku'),
    quantity: Type.Integer({
      minimum: -stockMax,
      maximum: stockMax,
      description: `a whole number from ${-stockMax} to ${stockMax}: units to add, or to take away when negative`,
    }),
  },
  strict,
)

const address = Type.Object(
  {
    line1: text('a text', addressLengthMax),
    line2: orNull(text('a text', addressLengthMax)),
    city: text('a text', addressLengthMax),
    state: orNull(text('a text', addressLengthMax)),
    postal_code: orNull(text('a text', addressLengthMax)),
    country: Type.String({ pattern: '^[A-Z]{2}$', description: 'an upper-case ISO 3166 code, such as DE' }),
  },
  strict,
)

const customer = Type.Object(
  {
    email: text('an e-mail address', emailLengthMax, '^[^\\s@]+@[^\\s@]+$'),
    phone: orNull(
      text('a phone number of digits, spaces and + ( ) . -', phoneLengthMax, '^\\+?[0-9 ().-]*[0-9][0-9 ().-]*$'),
    ),
    external_id: orNull(text('a text', externalIdLengthMax)),
    name: orNull(name),
    shipping_address: orNull(address),
  },
  strict,
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
      Type.Object({ hold: id('hold'), client_secret: Type.Optional(text('a client secret', secretLengthMax)) }, strict),
    ),
  },
  strict,
)

export const paymentCreateBody = Type.Object(
  {
    hold: id('hold'),
    provider: text('a provider name of a-z, 0-9 and _', providerLengthMax, '^[a-z][a-z0-9_]*$'),
    provider_payment_id: text('the payment id of the provider', externalIdLengthMax),
    amount: amount(0),
    currency,
  },
  strict,
)

const restock = Type.Optional(Type.Boolean({ description: 'true or false' }))
const reason = orNull(text('a text', reasonLengthMax))

export const paymentAttachBody = Type.Object({ hold: id('hold') }, strict)

export const refundCreateBody = Type.Object(
  { payment: id('payment'), amount: Type.Optional(amount(0)), lines: Type.Optional(lines), restock, reason },
  strict,
)

export const refundSettleBody = Type.Object(
  { status: Type.Enum(['succeeded', 'failed'], { description: 'succeeded or failed' }) },
  strict,
)

export const disputeOpenBody = Type.Object(
  {
    payment: id('payment'),
    provider_dispute_id: text('the dispute id of the provider', externalIdLengthMax),
    amount: Type.Optional(amount(1)),
    reason,
  },
  strict,
)

export const disputeCloseBody = Type.Object(
  { status: Type.Enum(['won', 'lost'], { description: 'won or lost' }) },
  strict,
)

export const orderCancelBody = Type.Object({ restock, reason }, strict)
