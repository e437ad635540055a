import fc from 'fast-check'
import { resolveRef } from '../openapi/answer-check.ts'
import type { Arbitrary } from 'fast-check'
import type { OpenApiDocument } from '@penstock/http/openapi/document.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'
import type { IdPool } from './id-pool.ts'

/** Lists of more items are only made at their very bound, when that is small. */
const ordinaryItemsMax = 3
const smallListMax = 8

/** Texts that break programs: signs that join, turn round, vanish, or are longer in one encoding than in another. */
const oddTexts = [
  'é',
  'e\u0301',
  '👨‍👩‍👧‍👦',
  '\u202Eabc',
  '\u200B',
  '\uFEFFx',
  'İ',
  'ﬀ',
  '𝒳',
  '\u{10FFFF}',
  "Robert'); DROP TABLE holds;--",
  '<script>alert(1)</script>',
  '${7*7}',
  '__proto__',
  'null',
  'NaN',
  '\n\r\t',
  '\u007F',
  '\u0085',
  '\u2028',
]

/** Values of every JSON type, at the edges of what programs take for granted. */
const junk: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  2 ** 63,
  5e-324,
  '',
  ' ',
  '0',
  'x'.repeat(6_000),
  '\u0000',
  '\uD800',
  ...oddTexts,
  [],
  [null],
  [[]],
  {},
  { id: 'x' },
  { toString: 1 },
]

/** Values that fit `schema`: ordinary ones, and those at its bounds. Ids are taken from `pool` where it has some. */
export function validValue(document: OpenApiDocument, schema: SchemaNode, pool: IdPool): Arbitrary<unknown> {
  const inner = (node: SchemaNode): Arbitrary<unknown> => validValue(document, node, pool)
  const node = resolveRef<SchemaNode>(document, schema)
  if (node.const !== undefined) return fc.constant(node.const)
  if (node.enum !== undefined) return fc.constantFrom(...node.enum)
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(inner))
  switch (node.type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return validInteger(node)
    case 'string':
      return node.pattern === undefined ? validText(node) : validPattern(node, node.pattern, pool)
    case 'array':
      return validList(node, inner(node.items ?? {}))
    case 'object':
      return validObject(node, inner)
    default:
      throw new Error(`the generator does not know schemas like ${JSON.stringify(node)}`)
  }
}

function validInteger({ minimum: min = -(2 ** 53), maximum: max = 2 ** 53, not }: SchemaNode): Arbitrary<number> {
  const edges = [min, min + 1, max - 1, max, 0, 1].filter((value) => value >= min && value <= max)
  const any = fc.oneof(
    fc.constantFrom(...edges),
    fc.maxSafeInteger().map((value) => min + (Math.abs(value) % Math.min(max - min + 1, 2 ** 52))),
    fc.integer({ min: Math.max(min, 0), max: Math.min(max, 100) }),
  )
  return any.filter((value) => value !== not?.const)
}

/** Lengths are in code points (JSON Schema 2020-12, section 6.3.1). */
function fits(text: string, minLength: number, maxLength: number): boolean {
  const { length } = Array.from(text)
  return length >= minLength && length <= maxLength
}

function validText({ minLength = 0, maxLength = 1_000 }: SchemaNode): Arbitrary<string> {
  const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
  const longest = ['x', '👟', 'ß', ' ', '"'].map((sign) => sign.repeat(maxLength))
  const shortest = ['x', '👟', ' '].map((sign) => sign.repeat(minLength))
  return fc
    .oneof(
      fc.string({ minLength, maxLength: Math.min(maxLength, 40) }),
      fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit: 'binary' }),
      fc.constantFrom(...longest, ...shortest, ...oddTexts),
    )
    .filter((text) => fits(text, minLength, maxLength) && isStorable(text))
}

/** Of the ids most are pinned ones, some were seen in answers, and some are well formed and unknown. */
function validPattern(
  { minLength = 0, maxLength = 255 }: SchemaNode,
  pattern: string,
  pool: IdPool,
): Arbitrary<string> {
  const wanted = new RegExp(pattern, 'u')
  // The generator knows no look-ahead; what does not fit is filtered out.
  const texts = fc
    .stringMatching(new RegExp(pattern.replaceAll(/\(\?![^)]*\)/g, '')), { maxLength })
    .filter((text) => wanted.test(text) && fits(text, minLength, maxLength))
  const prefix = /^\^([a-z]+)_\(?(?:\[0-7\]|\[1-9\]\[0-9\])/.exec(pattern)?.[1]
  if (prefix === undefined) {
    // Up to the very bound, with more of the last sign.
    const longest = texts.map((text) => {
      const padded = text.padEnd(maxLength, text.at(-1) ?? '')
      return wanted.test(padded) ? padded : text
    })
    return fc.oneof({ arbitrary: texts, weight: 3 }, longest)
  }
  return fc.tuple(fc.nat(99), fc.nat(9), texts).map(([index, kind, fresh]) => {
    return kind === 0 ? fresh : (pool.pick(prefix, kind < 3 ? index : null) ?? fresh)
  })
}

function validList(
  { minItems = 0, maxItems = 1_000, uniqueItems = false }: SchemaNode,
  item: Arbitrary<unknown>,
): Arbitrary<unknown[]> {
  if (uniqueItems) return fc.uniqueArray(item, { minLength: minItems, maxLength: maxItems })
  const ordinary = fc.array(item, { minLength: minItems, maxLength: Math.min(maxItems, minItems + ordinaryItemsMax) })
  if (maxItems > smallListMax) return ordinary
  return fc.oneof({ arbitrary: ordinary, weight: 4 }, fc.array(item, { minLength: maxItems, maxLength: maxItems }))
}

function validObject(node: SchemaNode, inner: (schema: SchemaNode) => Arbitrary<unknown>): Arbitrary<unknown> {
  const { properties = {}, required = [], patternProperties = {} } = node
  const fields = Object.entries(properties).map(([name, schema]) => [name, inner(schema)] as const)
  const [free] = Object.entries(patternProperties)
  if (free !== undefined) {
    const key = inner({ type: 'string', pattern: free[0] }) as Arbitrary<string>
    return fc.dictionary(key, inner(free[1]), { maxKeys: 4, noNullPrototype: true })
  }
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required], noNullPrototype: true })
}

/** `valid` with one thing changed somewhere inside; most of these are wrong, and which are is for a validator to say. */
export function disturbed(valid: Arbitrary<unknown>): Arbitrary<unknown> {
  return fc
    .tuple(valid, fc.nat(), fc.constantFrom('replace', 'remove', 'add', 'repeat'), fc.constantFrom(...junk))
    .map(([value, place, change, other]) => {
      const copy = { root: structuredClone(value) }
      const spots = spotsIn(copy)
      const spot = spots[place % spots.length]
      if (spot !== undefined) disturb(spot, change, other)
      return copy.root
    })
}

type Spot = readonly [holder: Record<string, unknown>, key: string]

function spotsIn(holder: object): Spot[] {
  return Object.entries(holder).flatMap(([key, value]: [string, unknown]): Spot[] => {
    const own: Spot = [holder as Record<string, unknown>, key]
    return typeof value === 'object' && value !== null ? [own, ...spotsIn(value)] : [own]
  })
}

function disturb([holder, key]: Spot, change: 'replace' | 'remove' | 'add' | 'repeat', other: unknown): void {
  const value = holder[key]
  if (change === 'remove' && !Array.isArray(holder) && key !== 'root') delete holder[key]
  else if (change === 'add' && isFields(value)) value['unknown_field'] = other
  else if (change === 'repeat' && Array.isArray(value))
    holder[key] = Array.from({ length: 501 }, () => value[0] ?? other)
  else holder[key] = other
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
