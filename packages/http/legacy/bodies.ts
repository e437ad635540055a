import Type from 'typebox'
import {
  addressLengthMax,
  amountMax,
  emailLengthMax,
  nameLengthMax,
  phoneLengthMax,
  quantityPerLineMax,
} from '@penstock/domain/limits.ts'
import { bodyParser } from '../json-body.ts'
import { text, whole } from '@penstock/wire/schema-fields.ts'

/**
 * What the old clients send. Open to fields that are not known, as the old system was; what is known is checked. Empty
 * texts are absent ones.
 */
const optionalText = (maxLength: number) =>
  Type.Optional(
    Type.Union([Type.String({ maxLength }), Type.Null()], { description: `a text of at most ${maxLength} characters` }),
  )

export const purchaseBody = Type.Object({
  quantity: whole(1, quantityPerLineMax),
  name: optionalText(nameLengthMax),
  phone: Type.Optional(
    Type.Union(
      [Type.String({ maxLength: phoneLengthMax, pattern: '^(\\+?[0-9 ().-]*[0-9][0-9 ().-]*)?$' }), Type.Null()],
      {
        description: 'a phone number of digits, spaces and + ( ) . -',
      },
    ),
  ),
  email: text('an e-mail address', emailLengthMax, { pattern: '^[^\\s@]+@[^\\s@]+$' }),
  address: optionalText(addressLengthMax),
  province: optionalText(addressLengthMax),
  district: optionalText(addressLengthMax),
  ward: optionalText(addressLengthMax),
})

export const parsePurchase = bodyParser(purchaseBody)

/** A report of the old test tools, with neither the fields nor the signature of payOS. */
export const unsignedReportBody = Type.Object({
  data: Type.Object(
    {
      orderCode: whole(0, Number.MAX_SAFE_INTEGER),
      status: Type.Optional(Type.String({ description: 'a text' })),
      amount: Type.Optional(whole(0, amountMax)),
      reference: Type.Optional(Type.String({ maxLength: 150, description: 'a text of at most 150 characters' })),
    },
    { description: 'an object with orderCode' },
  ),
})

export const parseUnsignedReport = bodyParser(unsignedReportBody)
