import fc from 'fast-check'
import { resolveRef } from '../openapi/answer-check.ts'
import { keepsRules } from './rules.ts'
import { disturbed, validValue } from './values.ts'
import type { Arbitrary } from 'fast-check'
import type { OpenApiDocument, Parameter } from '@penstock/http/openapi/document.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'
import type { PlacedOperation } from '../openapi/answer-check.ts'
import type { Check, SchemaCompiler } from '../openapi/json-schema.ts'
import type { IdPool } from './id-pool.ts'

/** What the document promises: `accept` never 400, `refuse` never 2xx, `any` either. */
export type Expectation = 'accept' | 'refuse' | 'any'

export type Caller = 'secret' | 'publishable' | 'nobody'

export interface FuzzRequest {
  readonly what: string
  readonly expectation: Expectation
  readonly caller: Caller
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** Absent: none is sent. */
  readonly body?: string | Uint8Array
}

/** What requests of one operation are made of. */
interface Parts {
  readonly operation: PlacedOperation
  readonly pathParams: readonly Parameter[]
  readonly queryParams: readonly Parameter[]
  readonly headerNames: ReadonlySet<string>
  readonly body: { readonly valid: Arbitrary<unknown>; readonly check: Check } | null
  readonly checkParam: (parameter: Parameter, text: string) => boolean
  readonly valueOf: (schema: SchemaNode) => Arbitrary<unknown>
  readonly secretOf: (holdId: string) => string
  readonly isOpen: boolean
  readonly callers: readonly Caller[]
}

/** Requests of one operation: half of them valid, the others wrong in one place or strange. */
export function requestsOf(
  document: OpenApiDocument,
  operation: PlacedOperation,
  pool: IdPool,
  compiler: SchemaCompiler,
): Arbitrary<FuzzRequest> {
  const parts = partsOf(document, operation, pool, compiler)
  const fitting = validRequest(parts)
  const { operationId } = operation.operation
  // Where many that fit break a rule, too few would succeed.
  const valid = fc.oneof(
    fitting,
    fitting.filter((request) => keepsRules(operationId, request)),
  )
  const others: Arbitrary<FuzzRequest>[] = [wrongHeader(parts, valid), wrongMethod(document, parts, valid)]
  if (!parts.isOpen) others.push(wrongCaller(parts, valid))
  if (parts.pathParams.length > 0) others.push(wrongPath(valid, operation.path))
  if (parts.queryParams.length > 0) others.push(wrongQuery(parts, valid))
  const { body } = parts
  if (body !== null) others.push(wrongBody(body, valid), wrongBody(body, valid), brokenBody(body, valid))
  return fc.oneof({ arbitrary: valid, weight: others.length }, ...others)
}

function partsOf(document: OpenApiDocument, placed: PlacedOperation, pool: IdPool, compiler: SchemaCompiler): Parts {
  const { operation } = placed
  const parameters = (operation.parameters ?? []).map((given) => resolveRef<Parameter>(document, given))
  const schema = operation.requestBody?.content['application/json']?.schema
  const valueOf = (node: SchemaNode): Arbitrary<unknown> => validValue(document, node, pool)
  const bodyOf = (node: SchemaNode): Arbitrary<unknown> =>
    valueOf(node).map((body) => keptHere(operation.operationId, body))
  const checks = new Map(parameters.map(({ name, schema: own }) => [name, compiler.compile(own)]))
  return {
    operation: placed,
    pathParams: parameters.filter((parameter) => parameter.in === 'path'),
    queryParams: parameters.filter((parameter) => parameter.in === 'query'),
    headerNames: new Set(parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name)),
    body: schema === undefined ? null : { valid: bodyOf(schema), check: compiler.compile(schema) },
    checkParam: ({ name, schema: own }, text) => {
      const value = own.type === 'integer' && /^-?\d{1,15}$/.test(text) ? Number(text) : text
      return checks.get(name)?.(value).length === 0
    },
    valueOf,
    secretOf: (holdId) => pool.secretOf(holdId),
    isOpen: operation.security.length === 0,
    callers: operation.security.length === 2 ? ['secret', 'secret', 'publishable'] : ['secret'],
  }
}

function validRequest(parts: Parts): Arbitrary<FuzzRequest> {
  const { operation, pathParams, queryParams, headerNames, body, valueOf } = parts
  const record = (parameters: readonly Parameter[]): Arbitrary<Record<string, unknown>> =>
    fc.record(Object.fromEntries(parameters.map(({ name, schema }) => [name, valueOf(schema)])), {
      requiredKeys: parameters.filter(({ required }) => required === true).map(({ name }) => name),
      noNullPrototype: true,
    })
  const key = fc.option(fc.stringMatching(/^[!-~]{1,40}$/), { nil: '' })
  return fc
    .record({
      caller: fc.constantFrom(...parts.callers),
      pathValues: record(pathParams),
      queryValues: record(queryParams),
      // Quotes around a key are taken off.
      key: key.filter((text) => !text.startsWith('"')),
      body: body === null ? fc.constant(undefined) : body.valid,
    })
    .map(({ caller, pathValues, queryValues, key: idempotencyKey, body: value }) => {
      const path = Object.entries(pathValues).reduce(
        (filled, [name, text]) => filled.replace(`{${name}}`, String(text)),
        operation.path,
      )
      const holdId = /\bhold_\w+/.exec(path)?.[0] ?? ''
      const headers = {
        ...(headerNames.has('Idempotency-Key') && idempotencyKey !== ''
          ? { 'idempotency-key': `${idempotencyKey}-${crypto.randomUUID()}` }
          : {}),
        ...(headerNames.has('Penstock-Client-Secret') ? { 'penstock-client-secret': parts.secretOf(holdId) } : {}),
      }
      return {
        what: 'valid',
        expectation: 'accept' as const,
        caller: parts.isOpen ? ('nobody' as const) : caller,
        method: operation.method,
        path,
        query: Object.fromEntries(Object.entries(queryValues).map(([name, item]) => [name, String(item)])),
        headers,
        ...(value === undefined ? {} : { body: JSON.stringify(value) }),
      }
    })
}

/**
 * The box under test sends webhooks to the endpoints that are made, and may reach private addresses: so that nobody on this
 * network or outside hears of it, every endpoint is the discard port of this machine.
 */
export function keptHere(operationId: string, body: unknown): unknown {
  if (!endpointOperations.includes(operationId) || !isFields(body) || typeof body['url'] !== 'string') return body
  const path = body['url'].replace(/^https?:\/\//, '').slice(0, 200)
  return { ...body, url: `http://127.0.0.1:9/${path.toWellFormed()}` }
}

const endpointOperations = ['createWebhookEndpoint', 'updateWebhookEndpoint']

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongBody(
  { valid, check }: NonNullable<Parts['body']>,
  request: Arbitrary<FuzzRequest>,
): Arbitrary<FuzzRequest> {
  return fc.tuple(request, disturbed(valid)).map(([base, value]) => {
    const isValid = check(value).length === 0
    return { ...base, what: 'a disturbed body', expectation: isValid ? 'any' : 'refuse', body: JSON.stringify(value) }
  })
}

const brokenTexts = [
  '{',
  '[]',
  'null',
  '"x"',
  '1',
  '{"a":1}}',
  "{'a':1}",
  '{"a":NaN}',
  '{"a":1e999}',
  '\uFEFF{}',
  '['.repeat(20_000),
  '{"a":'.repeat(10_000),
  '{"__proto__":{"a":1}}',
  '{"constructor":{}}',
]
const brokenBytes = [new Uint8Array([0xff, 0xfe]), new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])]
const otherTypes = ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx', '*/*']

function brokenBody({ check }: NonNullable<Parts['body']>, request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const broken = fc.tuple(request, fc.constantFrom(...brokenTexts, ...brokenBytes)).map(([base, body]): FuzzRequest => {
    const isValid = typeof body === 'string' && isValidJson(body, check)
    return { ...base, what: 'a broken body', expectation: isValid ? 'any' : 'refuse', body }
  })
  const mistyped = fc.tuple(request, fc.constantFrom(...otherTypes)).map(([base, type]): FuzzRequest => {
    return { ...base, what: 'another type', expectation: 'refuse', headers: { ...base.headers, 'content-type': type } }
  })
  const random = fc.tuple(request, fc.json()).map(([base, body]): FuzzRequest => {
    return { ...base, what: 'any JSON', expectation: isValidJson(body, check) ? 'any' : 'refuse', body }
  })
  return fc.oneof(broken, mistyped, random)
}

function isValidJson(text: string, check: Check): boolean {
  try {
    return check(JSON.parse(text)).length === 0
  } catch {
    return false
  }
}

/** Segments that are no id of any kind. */
const oddSegments = [
  '0',
  '-1',
  'null',
  'undefined',
  '..',
  '.',
  '%2e%2e',
  '%00',
  '%',
  '%zz',
  '%F0%9F%91%9F',
  '%2F',
  "'",
  '*',
  ';',
  'drop_',
  'DROP_01k9ze0000e8b9x3m7q2w5r6t4',
  'drop_01k9ze0000e8b9x3m7q2w5r6t4%20',
  'drop_zzzzzzzzzzzzzzzzzzzzzzzzzz',
  'x'.repeat(1_500),
]
const otherKinds = ['drop', 'sku', 'hold', 'pay', 'ord', 'rfnd', 'dsp', 'pc', 'key', 'evt'].map(
  (prefix) => `${prefix}_01k9ze0000e8b9x3m7q2w5r6t4`,
)

/** No such id is known, whatever its kind: never a success. */
function wrongPath(request: Arbitrary<FuzzRequest>, template: string): Arbitrary<FuzzRequest> {
  return fc.tuple(request, fc.constantFrom(...oddSegments, ...otherKinds)).map(([base, segment]) => {
    const path = template.replaceAll(/\{\w+\}/g, () => segment)
    return { ...base, what: 'another id', expectation: 'refuse', path }
  })
}

function wrongQuery({ queryParams, checkParam }: Parts, request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const texts = [
    '',
    '0',
    '101',
    '-1',
    '1.5',
    '1e1',
    ' 1',
    '0x1',
    'NaN',
    '9'.repeat(30),
    'drop_x',
    '__proto__',
    '\0',
    '👟',
  ]
  const names = [...queryParams.map(({ name }) => name), 'unknown', '__proto__', 'limit[]', 'LIMIT', '']
  return fc.tuple(request, fc.constantFrom(...names), fc.constantFrom(...texts)).map(([base, name, text]) => {
    const parameter = queryParams.find((known) => known.name === name)
    const isValid = parameter !== undefined && checkParam(parameter, text)
    const query = Object.fromEntries([...Object.entries(base.query), [name, text]])
    return { ...base, what: 'another query', expectation: isValid ? 'any' : 'refuse', query }
  })
}

function wrongHeader({ headerNames, isOpen }: Parts, request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const keys = ['k'.repeat(256), 'caf\u00e9s', 'a\tb', 'x'.repeat(2_000)].map(
    (key) => ['idempotency-key', key] as const,
  )
  const seqs = ['abc', '-1', '1.5', '9'.repeat(16), '1,2'].map((seq) => ['penstock-min-seq', seq] as const)
  const wrong = [
    ...(headerNames.has('Idempotency-Key') ? keys : []),
    ...(headerNames.has('Penstock-Min-Seq') ? seqs : []),
  ]
  const harmless = [
    ['accept', 'text/html'],
    ['x-unknown', '1'],
    ['if-none-match', '\u00ff"'],
    ['accept-encoding', 'br'],
    ['cookie', 'a=b'],
    ['penstock-client-secret', 'cs_wrong'],
  ] as const
  const pick = (headers: readonly (readonly [string, string])[], expectation: Expectation): Arbitrary<FuzzRequest> =>
    fc.tuple(request, fc.constantFrom(...headers)).map(([base, [name, value]]) => {
      return { ...base, what: `a header ${name}`, expectation, headers: { ...base.headers, [name]: value } }
    })
  return isOpen || wrong.length === 0 ? pick(harmless, 'any') : fc.oneof(pick(harmless, 'any'), pick(wrong, 'refuse'))
}

function wrongCaller({ callers }: Parts, request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const strangers: Caller[] = callers.includes('publishable') ? ['nobody'] : ['nobody', 'publishable']
  return fc.tuple(request, fc.constantFrom(...strangers)).map(([base, caller]) => {
    return { ...base, what: 'another caller', expectation: 'refuse', caller }
  })
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']

function wrongMethod(document: OpenApiDocument, parts: Parts, request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const known = Object.keys(document.paths[parts.operation.path] ?? {}).map((name) => name.toUpperCase())
  const others = methods.filter((name) => !known.includes(name))
  return fc.tuple(request, fc.constantFrom(...others)).map(([base, method]) => {
    const { body: _, ...bare } = base
    return { ...bare, what: 'another method', expectation: 'refuse', method }
  })
}
