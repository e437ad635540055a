import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'

/** Wrong requests made from the schemas of the API: every field of every body with every kind of wrong value. */

export interface WrongBody {
  readonly what: string
  readonly json: string
  /** What the refusal must name. */
  readonly param: string | null
}

type Step = string | number
type Path = readonly Step[]

/** Keys that exist on every object of JavaScript, and one that does not. */
const foreignKeys = ['unknown_field', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']

/** Every wrong version of `valid`, which has a value for every field of `schema`. */
export function wrongBodies(schema: SchemaNode, valid: unknown): WrongBody[] {
  const bodies: WrongBody[] = []
  const put = (path: Path, token: string): void => {
    bodies.push({
      what: `${pathName(path) || 'body'} = ${shorten(token)}`,
      json: withToken(valid, path, token),
      param: pathName(path) || null,
    })
  }
  const visit = (node: SchemaNode, path: Path): void => {
    const { own, isNullable } = unwrap(node)
    for (const token of wrongTokens(own, isNullable)) put(path, token)
    if (own.maxItems !== undefined) put(path, JSON.stringify(Array(own.maxItems + 1).fill(at(valid, [...path, 0]))))
    if (own.properties !== undefined) {
      for (const key of foreignKeys) {
        for (const token of ['1', '{}', '{"isAdmin":true}']) {
          const extra = [...path, key]
          const json = withExtra(valid, path, key, token)
          bodies.push({ what: `${pathName(extra)} added as ${token}`, json, param: pathName(extra) })
        }
      }
      for (const name of own.required ?? []) {
        const gone = [...path, name]
        bodies.push({ what: `${pathName(gone)} missing`, json: without(valid, gone), param: pathName(gone) })
      }
      for (const [name, child] of Object.entries(own.properties)) visit(child, [...path, name])
    }
    if (own.items !== undefined) visit(own.items, [...path, 0])
  }
  visit(schema, [])
  return bodies
}

function unwrap(schema: SchemaNode): { own: SchemaNode; isNullable: boolean } {
  if (schema.anyOf === undefined) return { own: schema, isNullable: false }
  const own = schema.anyOf.find((option) => option.type !== 'null') ?? schema
  return { own, isNullable: schema.anyOf.some((option) => option.type === 'null') }
}

/** JSON tokens, because some wrong numbers have no value in JavaScript. */
function wrongTokens(schema: SchemaNode, isNullable: boolean): string[] {
  const isObject = schema.type === 'object'
  const tokens = [...(schema.type === 'boolean' ? [] : ['true', 'false']), ...(isNullable ? [] : ['null'])]
  if (!isObject) tokens.push('{}', '{"length":1}')
  if (schema.type !== 'array') tokens.push('[]', '[1]', '["a"]')
  if (schema.type === 'integer') return [...tokens, ...wrongIntegers(schema)]
  tokens.push('0', '-1', '1.5', '1e400', '9007199254740993')
  if (schema.type === 'boolean') return [...tokens, '1', '"true"', '""']
  if (schema.type === 'array') {
    tokens.push('"text"')
    if (schema.minItems !== undefined) tokens.push('[]')
    return tokens
  }
  if (isObject) return [...tokens, '"text"', '"[object Object]"']
  if (schema.enum !== undefined)
    return [...tokens, '""', '"nonsense"', '"USD"', '"usd "', '"__proto__"', '"constructor"']
  return [...tokens, ...wrongTexts(schema)]
}

function wrongIntegers({ minimum = 0, maximum = 0 }: SchemaNode): string[] {
  const below = String(minimum - 1)
  const tokens = ['"1"', '""', '"NaN"', '1.5', '0.1', '1e-7', '1e400', '-1e400', '1e21', below]
  // Beyond 2^53 the next whole number has no value of its own.
  tokens.push(maximum === Number.MAX_SAFE_INTEGER ? '9007199254740992' : String(maximum + 1))
  tokens.push('9007199254740993', '-9007199254740993', '18446744073709551616')
  if (minimum > 0) tokens.push('0', '-0')
  return tokens
}

function wrongTexts({ pattern, minLength, maxLength }: SchemaNode): string[] {
  const texts: string[] = []
  if (minLength !== undefined) texts.push('')
  if (maxLength !== undefined) texts.push('x'.repeat(maxLength + 1))
  if (pattern !== undefined) texts.push(' ', '\n', '%00', '../../etc/passwd', "' OR 1=1 --", 'd\u00e9j\u00e0')
  // These can be neither stored nor given back.
  const escapes = ['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ud83d"']
  return [...texts.map((text) => JSON.stringify(text)), ...escapes]
}

const marker = '@@token@@'

/** `valid` as JSON with the value at `path` replaced by the bare token. */
function withToken(valid: unknown, path: Path, token: string): string {
  const edited = edit(valid, path, () => marker)
  return JSON.stringify(edited).replace(`"${marker}"`, () => token)
}

/** With one more field in the object at `path`. Text, because `__proto__` in an object literal is something else. */
function withExtra(valid: unknown, path: Path, key: string, token: string): string {
  const edited = edit(valid, path, (value) => ({ [marker]: 0, ...(value as object) }))
  return JSON.stringify(edited).replace(`"${marker}":0`, () => `${JSON.stringify(key)}:${token}`)
}

function without(valid: unknown, path: Path): string {
  const last = path.at(-1)
  const edited = edit(valid, path.slice(0, -1), (value) =>
    Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== last)),
  )
  return JSON.stringify(edited)
}

function edit(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return change(value)
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === step ? edit(item, rest, change) : item))
  const fields = value as Record<string, unknown>
  return { ...fields, [step]: edit(fields[step], rest, change) }
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<Step, unknown>)[step], value)
}

/** As clients write it: `lines[0].sku`. */
function pathName(path: Path): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === 'number') return `${name}[${step}]`
    return name === '' ? step : `${name}.${step}`
  }, '')
}

function shorten(token: string): string {
  return token.length <= 40 ? token : `${token.slice(0, 30)}... (${token.length})`
}
