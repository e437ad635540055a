import Type from 'typebox'
import { resources, scopes } from '@penstock/domain/api-key.ts'
import { feeKinds } from '@penstock/domain/fee.ts'
import { idPattern } from '@penstock/domain/id.ts'
import {
  amountMax,
  descriptionLengthMax,
  metadataKeyLengthMax,
  metadataKeysMax,
  metadataValueLengthMax,
  nameLengthMax,
  urlLengthMax,
  wireTimeMax,
} from '@penstock/domain/limits.ts'
import { currencies } from '@penstock/domain/money.ts'
import type { IdKind } from '@penstock/domain/id.ts'

/**
 * The fields that requests (`http/schema.ts`), answers (`objects.ts`) and parameters (`http/page.ts`) are made of. The
 * `description` of a field completes "FIELD must be …" in errors. `examples` are what the documents show.
 */

/** Of requests: unknown fields are refused, so that a misspelt option is an error and not a surprise. */
export const strict = { additionalProperties: false }

export function text(
  description: string,
  maxLength: number,
  { pattern, example = 'text' }: { readonly pattern?: string; readonly example?: string } = {},
) {
  const range = {
    minLength: 1,
    maxLength,
    description: `${description}, 1 to ${maxLength} characters`,
    examples: [example],
  }
  return Type.String(pattern === undefined ? range : { ...range, pattern })
}

export function whole(minimum: number, maximum: number, example = Math.max(1, minimum)) {
  const description = `a whole number from ${minimum} to ${maximum}`
  return Type.Integer({ minimum, maximum, description, examples: [example] })
}

/** `example: null` where null is the ordinary case; otherwise the example is that of `schema`. */
export function nullable<Schema extends Type.TSchema>(schema: Schema, example?: null) {
  const description = `${describe(schema)}, or null`
  return Type.Union([schema, Type.Null()], example === null ? { description, examples: [null] } : { description })
}

/** A field that may be absent or null, which mean the same. */
export function orNull<Schema extends Type.TSchema>(schema: Schema) {
  return Type.Optional(nullable(schema))
}

function describe(schema: Type.TSchema): string {
  return 'description' in schema && typeof schema.description === 'string' ? schema.description : 'a valid value'
}

/** What the documents call the schema, which must have a name there. */
export function titleOf(schema: Type.TSchema): string {
  if ('title' in schema && typeof schema.title === 'string') return schema.title
  throw new Error('the schema has no title')
}

/** What follows the prefix in examples. */
const exampleSuffix = '01k9ze0000e8b9x3m7q2w5r6t4'

export function id(kind: IdKind) {
  const pattern = idPattern(kind)
  const prefix = pattern.slice(1, pattern.indexOf('['))
  const article = /^[aeiou]/.test(kind) ? 'an' : 'a'
  return Type.String({ pattern, description: `the id of ${article} ${kind}`, examples: [prefix + exampleSuffix] })
}

/** Several texts to choose from. */
export function oneOf<const Value extends string>(values: readonly Value[], description = values.join(' or ')) {
  return Type.Enum([...values], { description })
}

export function minorUnits(maximum: number, minimum = 0, example = 4_999) {
  return Type.Integer({
    minimum,
    maximum,
    description: `a whole number of minor units from ${minimum} to ${maximum}`,
    examples: [example],
  })
}

export const name = text('a text', nameLengthMax, { example: 'Friday drop' })
export const longText = text('a text', descriptionLengthMax, { example: 'Made once, sold once.' })
export const url = text('a URL that starts with http:// or https://', urlLengthMax, {
  pattern: '^https?://[^\\s]+$',
  example: 'https://example.com/shoe.png',
})
export const wireTime = Type.Integer({
  minimum: 0,
  maximum: wireTimeMax,
  description: 'a time in Unix seconds (not milliseconds)',
  examples: [1_800_000_000],
})
export const currency = Type.Enum([...currencies], {
  title: 'Currency',
  description: 'a lower-case ISO 4217 code that Penstock knows, such as usd',
  examples: ['usd'],
})
export const amount = minorUnits(amountMax)
export const feeName = text('a text', nameLengthMax, { example: 'VAT' })
export const feeKind = oneOf(feeKinds)
/** A share of the goods: amount and basis_points exclude each other. */
export const feeExample = { name: 'VAT', kind: 'tax', basis_points: 1_900 }
export const latePayment = oneOf(['reacquire', 'refund'])
export const apiKeyKind = oneOf(['secret', 'publishable'])
export function apiKeyScopes(minItems: 0 | 1) {
  const kinds = `*, or :read and :write of ${resources.join(', ')}`
  return Type.Array(Type.Enum([...scopes], { description: `a scope: ${kinds}`, examples: ['orders:read'] }), {
    minItems,
    maxItems: scopes.length,
    uniqueItems: true,
    description: `a list of different scopes: ${kinds}`,
  })
}
export const metadata = Type.Record(
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
    examples: [{ season: '7' }],
  },
)
