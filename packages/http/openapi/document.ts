import { idempotencyKeyLengthMax } from '@penstock/domain/limits.ts'
import { problemKinds, problemObject } from '../problem.ts'
import { idempotencyKeyPattern } from '../request-key.ts'
import { plainProblems } from '../serve-plain.ts'
import { scopeOf } from '../route.ts'
import { readProblems, slowReadProblems } from '../serve-read.ts'
import { slowWriteProblems } from '../serve-slow-write.ts'
import { webhookProblems } from '../serve-webhook.ts'
import { writeProblems } from '../serve-write.ts'
import { operationId, tagOf } from './operation-name.ts'
import { SchemaCollector } from './schema-node.ts'
import type { TSchema } from 'typebox'
import type { ProblemCode } from '../problem.ts'
import type { PlainRoute } from '../serve-plain.ts'
import type { ReadRoute, SlowReadRoute } from '../serve-read.ts'
import type { SlowWriteRoute } from '../serve-slow-write.ts'
import type { WebhookRoute } from '../serve-webhook.ts'
import type { WriteRoute } from '../serve-write.ts'
import type { SchemaNode } from './schema-node.ts'

/** The part of OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1) that Penstock's document uses. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, SchemaNode>>
    readonly parameters: Readonly<Record<string, Parameter>>
    readonly headers: Readonly<Record<string, Header>>
    /** Of problems: named after their codes. */
    readonly responses: Readonly<Record<string, Response>>
    readonly securitySchemes: Readonly<Record<string, object>>
  }
}

export type Method = 'get' | 'post' | 'patch' | 'delete'

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  /** With the scope that a secret key needs. */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly (Parameter | Ref)[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> }
  /** By status. */
  readonly responses: Readonly<Record<string, Response | Ref>>
}

export interface Ref {
  readonly $ref: string
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema: SchemaNode
}

export interface Header {
  readonly description: string
  readonly required?: boolean
  readonly schema: SchemaNode
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, Header | Ref>>
  readonly content?: Readonly<Record<string, Media>>
}

export interface Media {
  readonly schema: SchemaNode
}

type Route = WriteRoute | SlowWriteRoute | ReadRoute | SlowReadRoute | PlainRoute | WebhookRoute

const description = `JSON in, JSON out. Amounts are integers in minor units (4999 is 49.99 usd, and 4999 is 4999 jpy); times are Unix
seconds; ids are strings. Unknown fields in a request are refused; answers may gain fields. A secret key needs the scope of
the operation, or *; a publishable key has none.

Any POST, PATCH or DELETE may carry an Idempotency-Key: the same key and request get the same answer, with
Idempotent-Replayed: true. Answers carry Penstock-Seq, the last commit they reflect; a read with Penstock-Min-Seq waits for
that commit, and a hold with it is not refused as of an earlier one. Errors are application/problem+json with a code; retryable says whether the same request may succeed later.`

const parameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'makes the request safe to repeat; bare or in double quotes',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: idempotencyKeyLengthMax,
      pattern: idempotencyKeyPattern,
      examples: ['order-17-attempt'],
    },
  },
  MinSeq: {
    name: 'Penstock-Min-Seq',
    in: 'header',
    description:
      'the commit that the answer must not be older than, a number from Penstock-Seq: a read waits for it, a hold is not refused before it',
    schema: { type: 'integer', minimum: 0, maximum: 999_999_999_999_999, examples: [0] },
  },
  ClientSecret: {
    name: 'Penstock-Client-Secret',
    in: 'header',
    description: 'the client_secret of the hold; needed with a publishable key',
    schema: { type: 'string', examples: ['cs_5n0Yq2cH1uPZr8sVd3mWk7xLb9tGf4eA'] },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'tags of answers that are known already: then 304',
    schema: { type: 'string', examples: ['W/"2jmj7l5rSw0yVb-vlWAYkK-YBwk"'] },
  },
} as const satisfies Record<string, Parameter>

const headers = {
  Seq: { description: 'the last commit the answer reflects', required: true, schema: { type: 'integer', minimum: 0 } },
  ProblemSeq: {
    description: 'the last commit the answer reflects; absent when nothing was looked up',
    schema: { type: 'integer', minimum: 0 },
  },
  Replayed: { description: 'present when the answer is that of an earlier request', schema: { const: 'true' } },
  Disposition: {
    description: 'the name of the file',
    required: true,
    schema: { type: 'string', pattern: '^attachment; filename="[a-z_]+-[0-9]{8}T[0-9]{6}Z[.](csv|ndjson)"$' },
  },
  Tag: { description: 'changes when the answer does', required: true, schema: { type: 'string', minLength: 2 } },
  RequestId: { description: 'names the request in the log', schema: { type: 'string', minLength: 1 } },
  RetryAfter: { description: 'seconds to wait', required: true, schema: { type: 'integer', minimum: 1 } },
  Authenticate: { description: 'how to send a key', required: true, schema: { type: 'string', minLength: 1 } },
} as const satisfies Record<string, Header>

/** The OpenAPI document of `routes`, in their order. Pure; throws on a route that says too little of itself. */
export function openApiDocument(routes: readonly Route[]): OpenApiDocument {
  const collector = new SchemaCollector()
  const responses: Record<string, Response> = {}
  const paths: Record<string, Partial<Record<Method, Operation>>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z_]+)/g, '{$1}')
    const method = ('method' in route ? route.method.toLowerCase() : 'get') as Method
    const operation = describeRoute(route, method, path, collector)
    const problems = describeProblems(route, collector)
    Object.assign(responses, problems.shared)
    paths[path] = {
      ...paths[path],
      [method]: { ...operation, responses: { ...operation.responses, ...problems.byStatus } },
    }
  }
  const tags = [...new Set(routes.map((route) => tagOf(route.path)))]
  return {
    openapi: '3.1.0',
    info: { title: 'Penstock', version: '1', description },
    servers: [{ url: '/' }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      schemas: collector.schemas,
      parameters,
      headers,
      responses,
      securitySchemes: {
        secretKey: { type: 'http', scheme: 'bearer', description: 'sk_test_...: for servers' },
        publishableKey: { type: 'http', scheme: 'bearer', description: 'pk_test_...: for browsers' },
      },
    },
  }
}

function describeRoute(route: Route, method: Method, path: string, collector: SchemaCollector): Operation {
  const given = describeParameters(route, collector)
  return {
    operationId: operationId(method, path),
    summary: route.summary,
    tags: [tagOf(path)],
    security: describeSecurity(route),
    ...(given.length === 0 ? {} : { parameters: given }),
    // A body of DELETE has no meaning of its own (RFC 9110 section 9.3.5); {} is taken, and not worth mentioning.
    ...(!('method' in route) || route.method === 'DELETE'
      ? {}
      : {
          requestBody: {
            required: (route.body.required?.length ?? 0) > 0,
            content: { 'application/json': { schema: collector.refer(route.body) } },
          },
        }),
    responses: describeAnswers(route, collector),
  }
}

function describeSecurity(route: Route): Operation['security'] {
  if (route.kind === 'plain' || route.kind === 'webhook') return []
  const secret = { secretKey: [scopeOf(route)] }
  return route.access === 'secret' ? [secret] : [secret, { publishableKey: [] }]
}

function describeParameters(route: Route, collector: SchemaCollector): (Parameter | Ref)[] {
  const shared = (name: keyof typeof parameters): Ref => ({ $ref: `#/components/parameters/${name}` })
  const tag = 'hasTag' in route && route.hasTag ? [shared('IfNoneMatch')] : []
  if (route.kind === 'plain' || route.kind === 'webhook') return tag
  const inPath = Object.entries(route.params).map(([name, schema]): Parameter => ({
    name,
    in: 'path',
    required: true,
    schema: collector.refer(schema),
  }))
  if (route.kind === 'read' || route.kind === 'slow_read') {
    const inQuery = Object.entries(route.query ?? {}).map(([name, schema]): Parameter => ({
      name,
      in: 'query',
      schema: collector.refer(schema),
    }))
    const secret = 'usesClientSecret' in route && route.usesClientSecret ? [shared('ClientSecret')] : []
    return [...inPath, ...inQuery, ...secret, shared('MinSeq'), ...tag]
  }
  const secret = route.problems.includes('invalid_client_secret') && inPath.length > 0 ? [shared('ClientSecret')] : []
  const minSeq = 'refuseHere' in route ? [shared('MinSeq')] : []
  return [...inPath, ...secret, shared('IdempotencyKey'), ...minSeq]
}

const header = (name: keyof typeof headers): Ref => ({ $ref: `#/components/headers/${name}` })

function describeAnswers(route: Route, collector: SchemaCollector): Record<string, Response> {
  if ('answers' in route) {
    const seq = route.kind === 'webhook' ? header('ProblemSeq') : header('Seq')
    const replayed = route.kind === 'slow_write' ? {} : { 'Idempotent-Replayed': header('Replayed') }
    const shown = { 'Penstock-Seq': seq, ...replayed }
    return Object.fromEntries(
      Object.entries(route.answers).map(([status, schema]: [string, TSchema]) => [
        status,
        {
          description: status === '201' ? 'Created' : 'Done',
          headers: shown,
          content: { 'application/json': { schema: collector.refer(schema) } },
        },
      ]),
    )
  }
  if (route.kind === 'slow_read') {
    const content = Object.entries(route.content).map(([type, schema]) => [type, { schema: collector.refer(schema) }])
    const named = route.isFile === true ? { 'Content-Disposition': header('Disposition') } : {}
    const shown = { 'Penstock-Seq': header('Seq'), ...named }
    return { '200': { description: 'Found', headers: shown, content: Object.fromEntries(content) } }
  }
  const seq = route.kind === 'read' ? { 'Penstock-Seq': header('Seq') } : {}
  const shown = { ...seq, ...(route.hasTag === true ? { ETag: header('Tag') } : {}) }
  const type = route.kind === 'read' ? 'application/json' : route.contentType
  return {
    '200': { description: 'Found', headers: shown, content: { [type]: { schema: collector.refer(route.answer) } } },
    ...(route.hasTag === true ? { '304': { description: 'The client has it already', headers: shown } } : {}),
  }
}

const commonProblems: Readonly<Record<Route['kind'], readonly ProblemCode[]>> = {
  write: writeProblems,
  slow_write: slowWriteProblems,
  webhook: webhookProblems,
  read: readProblems,
  slow_read: slowReadProblems,
  plain: plainProblems,
}

/** The problems of a route by status, each a reference to one of `shared`. */
function describeProblems(
  route: Route,
  collector: SchemaCollector,
): { readonly byStatus: Record<string, Ref>; readonly shared: Record<string, Response> } {
  const byStatus = Map.groupBy(
    new Set([...commonProblems[route.kind], ...route.problems]),
    (code) => problemKinds[code].status,
  )
  const rows = [...byStatus].map(([status, codes]) => {
    return { status: String(status), name: codes.join('.'), response: describeProblem(status, codes, collector) }
  })
  return {
    byStatus: Object.fromEntries(rows.map(({ status, name }) => [status, { $ref: `#/components/responses/${name}` }])),
    shared: Object.fromEntries(rows.map(({ name, response }) => [name, response])),
  }
}

function describeProblem(status: number, codes: readonly ProblemCode[], collector: SchemaCollector): Response {
  const narrowed = { properties: { status: { const: status }, code: { enum: codes } } }
  return {
    description: codes.map((code) => `${code}: ${problemKinds[code].title}`).join('\n'),
    headers: {
      'Request-Id': header('RequestId'),
      'Penstock-Seq': header('ProblemSeq'),
      ...(status === 503 ? { 'Retry-After': header('RetryAfter') } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': header('Authenticate') } : {}),
    },
    content: { 'application/problem+json': { schema: { allOf: [collector.refer(problemObject), narrowed] } } },
  }
}
