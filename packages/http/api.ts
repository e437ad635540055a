import { bodyBytesMax, minSeqWaitMs } from '@penstock/domain/limits.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { problem, problemHeaders, problemKinds, renderProblem } from './problem.ts'
import { readIdempotencyKey, requestKey } from './request-key.ts'
import type { Command, RequestKey } from '@penstock/domain/command.ts'
import type { Accepted, Result } from '@penstock/domain/result.ts'
import type { Credential, Queries } from '@penstock/store/queries.ts'
import type { Catalogue } from './catalogue.ts'
import type { Credentials } from './credentials.ts'
import type { BodyParser } from './json-body.ts'
import type { Mint } from './mint.ts'
import type { Problem } from './problem.ts'
import type { HttpExchange, HttpTransport } from './transport.ts'
import type { WriterClient } from './writer-client.ts'

/** What routes work with. Made by main.ts, the same for every request. */
export interface Deps {
  readonly queries: Queries
  readonly catalogue: Catalogue
  readonly writer: Pick<WriterClient, 'submit' | 'isConnected'>
  readonly credentials: Credentials
  readonly mint: Mint
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly log: (message: string, error?: unknown) => void
}

/** Where routes are registered. */
export type Router = Pick<HttpTransport, 'route'>

/** `secret`: the seller's key. `publishable`: either key. */
export type Access = Credential['kind']

/** A route that changes something: request → Command → (writer) → Result → response. */
export interface WriteRoute<Body> {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly access: Access
  readonly parseBody: BodyParser<Body>
  /** The command of a valid request, or what is wrong with it. */
  toCommand(request: WriteRequest<Body>): Command | { readonly problem: Problem }
  /** The response to an accepted command. */
  toResponse(result: Accepted, request: WriteRequest<Body>): JsonResponse
}

export interface WriteRequest<Body> {
  readonly body: Body
  /** The `:name` of the path, in order. */
  readonly params: readonly string[]
  readonly credential: Credential
  /** Header `Penstock-Client-Secret`; empty when absent. */
  readonly clientSecret: string
  /** The client's Idempotency-Key, or null. */
  readonly key: RequestKey | null
  /** The same, or a fresh one: for commands that are not harmless to repeat without a key. */
  readonly ownKey: () => RequestKey
  readonly mint: Mint
  readonly nowMs: number
}

export interface JsonResponse {
  readonly status: number
  readonly json: string
}

/** A route that only looks. `read` is called once this process has seen the commit the client asked for. */
export interface ReadRoute {
  readonly path: string
  readonly access: Access
  read(request: ReadRequest, deps: Deps): ReadResponse | { readonly problem: Problem }
}

export interface ReadRequest {
  readonly params: readonly string[]
  /** The raw query string. */
  readonly query: string
  readonly credential: Credential
  readonly clientSecret: string
}

/** Fresh JSON, or bytes with the tag that `If-None-Match` is compared with. */
export type ReadResponse = { readonly json: string } | { readonly bytes: Uint8Array; readonly etag: string }

export function serveWrite<Body>(router: Router, route: WriteRoute<Body>, deps: Deps): void {
  const paramCount = countParams(route.path)
  const scope = `${route.method} ${route.path}`
  router.route(route.method, route.path, (exchange) => {
    const credential = deps.credentials.find(exchange.header('authorization'))
    const refusal = checkAccess(credential, route.access)
    const contentType = exchange.header('content-type')
    const idempotencyKey = exchange.header('idempotency-key')
    const clientSecret = exchange.header('penstock-client-secret')
    const params = readParams(exchange, paramCount)
    // Nothing happens before the whole body is here: only then is the request known to be well framed.
    exchange.readBody(bodyBytesMax, (bytes) => {
      if (credential === null || refusal !== null) return sendProblem(exchange, deps, refusal ?? noKey)
      if (bytes === null) {
        return sendProblem(
          exchange,
          deps,
          problem('body_too_large', `The body may have at most ${bodyBytesMax} bytes.`),
        )
      }
      const keyed = readIdempotencyKey(idempotencyKey)
      if ('problem' in keyed) return sendProblem(exchange, deps, keyed.problem)
      const parsed = route.parseBody(bytes, contentType)
      if ('problem' in parsed) return sendProblem(exchange, deps, parsed.problem)
      const { body } = parsed
      const toKey = (key: string): RequestKey => requestKey(`${credential.id} ${scope}`, key, [params, body])
      const key = keyed.key === null ? null : toKey(keyed.key)
      const request: WriteRequest<Body> = {
        body,
        params,
        credential,
        clientSecret,
        key,
        ownKey: () => key ?? toKey(deps.mint.key()),
        mint: deps.mint,
        nowMs: deps.clock(),
      }
      submit(exchange, route, request, deps)
    })
  })
}

function submit<Body>(exchange: HttpExchange, route: WriteRoute<Body>, request: WriteRequest<Body>, deps: Deps): void {
  const command = route.toCommand(request)
  if ('problem' in command) return sendProblem(exchange, deps, command.problem)
  const taken = deps.writer.submit(command, (reply) => {
    if (reply === null) return sendProblem(exchange, deps, deadlineExceeded)
    sendResult(exchange, deps, reply.result, reply.seq, (accepted) => route.toResponse(accepted, request))
  })
  if (!taken)
    sendProblem(exchange, deps, problem('overloaded', 'Too many requests wait for the writer; nothing was done.'))
}

function sendResult(
  exchange: HttpExchange,
  deps: Deps,
  result: Result,
  seq: number,
  toResponse: (result: Accepted) => JsonResponse,
): void {
  if (isRejected(result)) return sendProblem(exchange, deps, { ...result, code: result.outcome })
  const { status, json } = toResponse(result)
  const headers = ['Content-Type', 'application/json', 'Penstock-Seq', String(seq)]
  if (result.replayed) headers.push('Idempotent-Replayed', 'true')
  exchange.send(status, headers, json)
}

export function serveRead(router: Router, route: ReadRoute, deps: Deps): void {
  const paramCount = countParams(route.path)
  router.route('GET', route.path, (exchange) => {
    const credential = deps.credentials.find(exchange.header('authorization'))
    const refusal = checkAccess(credential, route.access)
    if (credential === null || refusal !== null) return sendProblem(exchange, deps, refusal ?? noKey)
    const ifNoneMatch = exchange.header('if-none-match')
    const minSeq = exchange.header('penstock-min-seq')
    const request: ReadRequest = {
      params: readParams(exchange, paramCount),
      query: exchange.query,
      credential,
      clientSecret: exchange.header('penstock-client-secret'),
    }
    if (minSeq === '') return sendRead(exchange, route, request, ifNoneMatch, deps)
    if (!/^\d{1,15}$/.test(minSeq)) {
      return sendProblem(
        exchange,
        deps,
        problem(
          'invalid_request',
          'Penstock-Min-Seq must be a whole number from a Penstock-Seq header.',
          'Penstock-Min-Seq',
        ),
      )
    }
    deps.catalogue.whenSeen(Number(minSeq), deps.clock() + minSeqWaitMs, (seen) => {
      if (seen) return sendRead(exchange, route, request, ifNoneMatch, deps)
      sendProblem(
        exchange,
        deps,
        problem('behind', `Commit ${minSeq} has not arrived within ${minSeqWaitMs} ms.`, 'Penstock-Min-Seq'),
      )
    })
  })
}

function sendRead(
  exchange: HttpExchange,
  route: ReadRoute,
  request: ReadRequest,
  ifNoneMatch: string,
  deps: Deps,
): void {
  // Taken before the read: what is read is at least this new.
  const seq = String(deps.catalogue.seq)
  const response = route.read(request, deps)
  if ('problem' in response) return sendProblem(exchange, deps, response.problem)
  if ('json' in response) {
    exchange.send(200, ['Content-Type', 'application/json', 'Penstock-Seq', seq], response.json)
    return
  }
  const { bytes, etag } = response
  if (ifNoneMatch !== '' && matchesTag(ifNoneMatch, etag)) {
    exchange.send(304, ['ETag', etag, 'Penstock-Seq', seq], '')
    return
  }
  exchange.send(200, ['Content-Type', 'application/json', 'ETag', etag, 'Penstock-Seq', seq], bytes)
}

/** RFC 9110 section 13.1.2: a list of tags or `*`, compared weakly. */
function matchesTag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag) return true
  const opaque = etag.replace(/^W\//, '')
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === opaque)
}

const noKey = problem(
  'unauthorized',
  'Send a key that is valid here as Authorization: Bearer sk_test_... or pk_test_...',
)
const deadlineExceeded = problem(
  'deadline_exceeded',
  'No answer from the writer in time. The request may still have been carried out: ask again with the same Idempotency-Key.',
)

function checkAccess(credential: Credential | null, access: Access): Problem | null {
  if (credential === null) return noKey
  if (access === 'publishable' || credential.kind === 'secret') return null
  return problem('forbidden', 'This needs a secret key; a publishable key was sent.')
}

export function sendProblem(
  exchange: HttpExchange,
  deps: Pick<Deps, 'mint'>,
  cause: Problem,
  headers: readonly string[] = [],
): void {
  const requestId = deps.mint.requestId()
  const { status } = problemKinds[cause.code]
  exchange.send(status, [...problemHeaders(cause, requestId), ...headers], renderProblem(cause, requestId))
}

function countParams(path: string): number {
  return path.split('/').filter((segment) => segment.startsWith(':')).length
}

function readParams(exchange: HttpExchange, count: number): string[] {
  const params: string[] = []
  for (let index = 0; index < count; index++) params.push(exchange.param(index))
  return params
}
