import { problemObject } from '@penstock/http/problem.ts'
import { isJson } from '../client.ts'
import { SchemaCompiler } from './json-schema.ts'
import type { Header, OpenApiDocument, Operation, Ref, Response } from '@penstock/http/openapi/document.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'
import type { Answer, SentRequest } from '../client.ts'
import type { Check } from './json-schema.ts'

/** Headers that any answer may carry: those of HTTP itself, and of the documents. */
const ordinaryHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'uwebsockets',
  'cache-control',
  'content-security-policy',
  'referrer-policy',
  'x-content-type-options',
  // For the proxy in between, which takes it off.
  'x-accel-buffering',
])

/** Of an answer that is wrong. */
const shownLength = 2_000

/** An operation of the document, and where it is. */
export interface PlacedOperation {
  readonly path: string
  readonly method: string
  readonly operation: Operation
}

/**
 * Compares answers with the OpenAPI document: the status is one the operation lists, with its content type, a body of
 * its schema and nothing more, and its headers. Remembers what it saw.
 */
export class AnswerChecker {
  readonly #document: OpenApiDocument
  readonly #compiler: SchemaCompiler
  readonly #checks = new Map<string, Check>()
  readonly #seen = new Set<string>()

  constructor(document: OpenApiDocument) {
    this.#document = document
    this.#compiler = new SchemaCompiler(document, { isClosed: true })
  }

  /** As `operationId status` of every answer so far. */
  get seen(): ReadonlySet<string> {
    return this.#seen
  }

  /** Throws with every deviation and the answer itself. For `ClientOptions.check`. */
  readonly check = (sent: SentRequest, answer: Answer<unknown>): void => {
    const deviations = this.deviations(sent, answer)
    if (deviations.length === 0) return
    const what = `${sent.method} ${sent.path} answered ${answer.status} against the document:`
    throw new Error(`${[what, ...deviations].join('\n  ')}\n${answer.text.slice(0, shownLength)}`)
  }

  /** What of the answer is not in the document; empty when all is. */
  deviations({ method, path }: SentRequest, answer: Answer<unknown>): string[] {
    const item = matchPath(this.#document, path)
    if (item === null) return this.#unrouted(answer, 404, 'route_not_found', method)
    const operation = item.methods[method.toLowerCase()]
    if (operation === undefined) {
      const allowed = Object.keys(item.methods).map((name) => name.toUpperCase())
      const given = new Set(answer.headers.allow?.split(', '))
      const isSame = given.size === allowed.length && allowed.every((name) => given.has(name))
      const wrongAllow = isSame ? [] : [`Allow is "${answer.headers.allow}", not ${allowed.join(', ')}`]
      return [...wrongAllow, ...this.#unrouted(answer, 405, 'method_not_allowed', method)]
    }
    this.#seen.add(`${operation.operationId} ${answer.status}`)
    const response = operation.responses[String(answer.status)]
    if (response === undefined) {
      return [`${operation.operationId} lists ${Object.keys(operation.responses).join(', ')}, not ${answer.status}`]
    }
    const place = '$ref' in response ? response.$ref : `${operation.operationId} ${answer.status}`
    return this.#compare(place, this.#resolve<Response>(response), answer)
  }

  #compare(place: string, response: Response, answer: Answer<unknown>): string[] {
    const headers = Object.entries(response.headers ?? {}).flatMap(([name, header]) =>
      this.#compareHeader(name, this.#resolve<Header>(header), answer.headers[name.toLowerCase()]),
    )
    const known = new Set(Object.keys(response.headers ?? {}).map((name) => name.toLowerCase()))
    const unknown = Object.keys(answer.headers)
      .filter((name) => !known.has(name) && !ordinaryHeaders.has(name))
      .map((name) => `the header ${name} is not in the document`)
    return [...headers, ...unknown, ...this.#compareContent(place, response.content ?? {}, answer)]
  }

  #compareContent(place: string, content: NonNullable<Response['content']>, answer: Answer<unknown>): string[] {
    const types = Object.keys(content)
    if (types.length === 0) return answer.text === '' ? [] : ['the body should be empty']
    const type = answer.headers['content-type'] ?? ''
    const media = content[type]
    if (media === undefined) return [`Content-Type is "${type}", not ${types.join(', ')}`]
    return [...this.#checkOf(`${place} ${type}`, media.schema)(isJson(type) ? answer.body : answer.text)]
  }

  #compareHeader(name: string, header: Header, value: string | string[] | undefined): string[] {
    if (value === undefined) return header.required === true ? [`the header ${name} is missing`] : []
    const isNumber = header.schema.type === 'integer' && /^\d+$/.test(String(value))
    const check = this.#checkOf(`header ${name} ${JSON.stringify(header.schema)}`, header.schema)
    return check(isNumber ? Number(value) : value).map((deviation) => `${name}: ${deviation}`)
  }

  #unrouted(answer: Answer<unknown>, status: number, code: string, method: string): string[] {
    const wrongStatus = answer.status === status ? [] : [`the status should be ${status}`]
    if (method === 'HEAD') return wrongStatus
    const narrowed = { properties: { status: { const: status }, code: { const: code } } }
    const schema = { allOf: [JSON.parse(JSON.stringify(problemObject)) as SchemaNode, narrowed] }
    return [...wrongStatus, ...this.#checkOf(code, schema)(answer.body)]
  }

  #checkOf(key: string, schema: SchemaNode): Check {
    const known = this.#checks.get(key)
    if (known !== undefined) return known
    const check = this.#compiler.compile(schema)
    this.#checks.set(key, check)
    return check
  }

  #resolve<Value extends object>(node: Value | Ref): Value {
    return resolveRef(this.#document, node)
  }
}

/** What a reference within the document stands for; anything else as it is. */
export function resolveRef<Value extends object>(document: OpenApiDocument, node: Value | Ref): Value {
  if (!('$ref' in node) || typeof node.$ref !== 'string') return node as Value
  const steps = node.$ref.split('/').slice(1)
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document) as Value
}

/** The operations at a path as it was sent, by method in lower case; null when no template fits. */
function matchPath(
  document: OpenApiDocument,
  path: string,
): { readonly methods: Readonly<Record<string, Operation>> } | null {
  const [bare = ''] = path.split('?', 1)
  const fitting = Object.entries(document.paths).filter(([template]) => fits(template, bare))
  // Literal segments win over parameters.
  const [best] = fitting.toSorted(([a], [b]) => a.split('{').length - b.split('{').length)
  return best === undefined ? null : { methods: best[1] }
}

function fits(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')]
  if (wanted.length !== given.length) return false
  return wanted.every((segment, index) => (segment.startsWith('{') ? given[index] !== '' : segment === given[index]))
}

/** Every operation of the document. */
export function operationsOf(document: OpenApiDocument): PlacedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}
