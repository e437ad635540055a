import Type from 'typebox'
import { dropStatuses } from '@penstock/domain/drop.ts'
import {
  addressLengthMax,
  emailLengthMax,
  externalIdLengthMax,
  holdTtlMaxMs,
  holdTtlMinMs,
  linesPerHoldMax,
  maxPerCustomerMax,
  nameLengthMax,
  phoneLengthMax,
  providerLengthMax,
  quantityPerLineMax,
  secretLengthMax,
  skusPerDropMax,
  stockMax,
  unitAmountMax,
} from '@penstock/domain/limits.ts'
import {
  amount,
  currency,
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
    stock: units,
    held: whole(0, stockMax, 3),
    sold: whole(0, stockMax, 120),
    available: whole(0, stockMax, 377),
  },
  { title: 'Sku' },
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

const lineObject = Type.Object(
  { sku: id('sku'), quantity: whole(1, quantityPerLineMax), unit_amount: unitAmount },
  { title: 'Line' },
)
const lines = Type.Array(lineObject, { minItems: 1, maxItems: linesPerHoldMax })

export const holdObject = Type.Object(
  {
    id: id('hold'),
    object: Type.Literal('hold'),
    status: oneOf(['active', 'captured', 'released', 'expired']),
    drop: id('drop'),
    lines,
    amount,
    currency,
    customer: customerObject,
    client_secret: text('a client secret', secretLengthMax, { example: 'cs_5n0Yq2cH1uPZr8sVd3mWk7xLb9tGf4eA' }),
    created: wireTime,
    expires_at: wireTime,
  },
  { title: 'Hold' },
)

export const paymentObject = Type.Object(
  {
    id: id('payment'),
    object: Type.Literal('payment'),
    status: oneOf(['captured', 'refund_due', 'unmatched']),
    reason: nullable(
      Type.Enum(
        [
          'unknown_hold',
          'currency_mismatch',
          'amount_mismatch',
          'hold_already_captured',
          'hold_expired',
          'hold_released',
          'sold_out',
          'limit_reached',
        ],
        { description: 'why money came without goods' },
      ),
      null,
    ),
    hold: id('hold'),
    order: nullable(id('order')),
    provider: text('a provider name', providerLengthMax, { example: 'manual' }),
    provider_payment_id: text('the payment id of the provider', externalIdLengthMax, { example: 'bank-transfer-1' }),
    amount,
    currency,
    created: wireTime,
  },
  { title: 'Payment' },
)

export const orderObject = Type.Object(
  {
    id: id('order'),
    object: Type.Literal('order'),
    status: oneOf(['paid']),
    drop: id('drop'),
    hold: id('hold'),
    payment: id('payment'),
    lines,
    amount,
    currency,
    customer: customerObject,
    created: wireTime,
  },
  { title: 'Order' },
)

/** The envelope of a list, newest first. `title` names the list in the documents. */
export function listOf<Item extends TObject<{ object: TLiteral } & Record<string, TSchema>>>(
  item: Item,
  title: string,
) {
  return Type.Object(
    { object: Type.Literal('list'), data: Type.Array(item), has_more: Type.Boolean({ examples: [false] }) },
    { title },
  )
}

export const healthObject = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' })
