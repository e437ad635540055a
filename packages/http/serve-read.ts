import { minSeqWaitMs } from '@penstock/domain/limits.ts'
import { answerLate, authorise, countParams, readParams, sendProblem } from './api.ts'
import { matchesTag } from './etag.ts'
import { readMinSeq } from './min-seq.ts'
import { problem } from './problem.ts'
import { scopeOf } from './route.ts'
import type { Static, TSchema } from 'typebox'
import type { Credential } from '@penstock/store/queries.ts'
import type { Deps, Router } from './api.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Json, JsonBytes, QueryParams, RouteFacts } from './route.ts'
import type { HttpExchange } from './transport.ts'

/** A route that only looks. `read` is called once this process has seen the commit the client asked for. */
export interface ReadFacts<Path extends string, Answer extends TSchema> extends RouteFacts<Path> {
  /** Absent: the query is not looked at. */
  readonly query?: QueryParams
  readonly answer: Answer
  /** Whether answers carry an ETag, so that clients may ask with If-None-Match. */
  readonly hasTag?: true
  /** Whether `clientSecret` is looked at; reading a header costs. */
  readonly usesClientSecret?: true
  read(request: ReadRequest, deps: Deps): ReadResponse<Static<Answer>> | { readonly problem: Problem }
}

/** Any `ReadFacts`, ready to serve. */
export interface ReadRoute extends ReadFacts<string, TSchema> {
  readonly kind: 'read'
}

export function readRoute<const Path extends string, Answer extends TSchema>(facts: ReadFacts<Path, Answer>) {
  return { ...facts, kind: 'read' as const }
}

/** A route that looks for longer than the event loop has time. */
export interface SlowReadRoute extends RouteFacts<string> {
  readonly kind: 'slow_read'
  readonly query: QueryParams
  /** The body of its answer, by content type. */
  readonly content: Readonly<Record<string, TSchema>>
  /** Whether the answer is a file: it carries a Content-Disposition. */
  readonly isFile?: true
  /** As `read`, but answers by itself, later. `seq`: what it reads is at least this new. A rejection is answered 500. */
  answer(exchange: HttpExchange, request: ReadRequest, seq: string, deps: Deps): Promise<void>
}

/** What any read may answer, in order of precedence. */
export const readProblems = [
  'unauthorized',
  'forbidden',
  'invalid_request',
  'behind',
  'internal_error',
] as const satisfies readonly ProblemCode[]

/** What any slow read may answer, in order of precedence. */
export const slowReadProblems = [
  ...readProblems,
  'overloaded',
  'read_timeout',
] as const satisfies readonly ProblemCode[]

export interface ReadRequest {
  readonly params: readonly string[]
  /** The raw query string. */
  readonly query: string
  readonly credential: Credential
  /** The header that `credential` was found by, for an answer that goes on while keys change. */
  readonly authorization: string
  readonly clientSecret: string
}

/** Fresh JSON, or bytes with the tag that `If-None-Match` is compared with. */
export type ReadResponse<Value> =
  | { readonly json: Json<Value> }
  | { readonly bytes: JsonBytes<Value>; readonly etag: string }

export function serveRead(router: Router, route: ReadRoute, deps: Deps): void {
  serveWhenSeen(router, route, deps, (exchange, request, ifNoneMatch) => {
    sendRead(exchange, route, request, ifNoneMatch, deps)
  })
}

export function serveSlowRead(router: Router, route: SlowReadRoute, deps: Deps): void {
  serveWhenSeen(router, route, deps, (exchange, request) => {
    // Taken before the read, as for fast ones.
    route.answer(exchange, request, String(deps.catalogue.seq), deps).catch((error: unknown) => {
      answerLate(exchange, deps, () => {
        throw error
      })
    })
  })
}

/** Calls `answer` once this process has seen the commit the client asked for. */
function serveWhenSeen(
  router: Router,
  place: ReadRoute | SlowReadRoute,
  deps: Deps,
  answer: (exchange: HttpExchange, request: ReadRequest, ifNoneMatch: string) => void,
): void {
  const scope = scopeOf(place)
  const usesClientSecret = place.kind === 'read' && place.usesClientSecret === true
  const paramCount = countParams(place.path)
  router.route('GET', place.path, (exchange) => {
    const authorization = exchange.header('authorization')
    const caller = authorise(authorization, place.access, scope, deps)
    if ('problem' in caller) return sendProblem(exchange, deps, caller.problem)
    const ifNoneMatch = exchange.header('if-none-match')
    const minSeq = exchange.header('penstock-min-seq')
    const request: ReadRequest = {
      params: readParams(exchange, paramCount),
      query: exchange.query,
      credential: caller.credential,
      authorization,
      clientSecret: usesClientSecret ? exchange.header('penstock-client-secret') : '',
    }
    if (minSeq === '') answer(exchange, request, ifNoneMatch)
    else answerWhenSeen(exchange, minSeq, () => answer(exchange, request, ifNoneMatch), deps)
  })
}

function answerWhenSeen(exchange: HttpExchange, header: string, answer: () => void, deps: Deps): void {
  const read = readMinSeq(header)
  if ('problem' in read) return sendProblem(exchange, deps, read.problem)
  const { minSeq } = read
  deps.catalogue.whenSeen(minSeq, deps.clock() + minSeqWaitMs, (seen) => {
    if (seen) return answerLate(exchange, deps, answer)
    const detail = `Commit ${minSeq} has not arrived within ${minSeqWaitMs} ms.`
    sendProblem(exchange, deps, problem('behind', detail, 'Penstock-Min-Seq'))
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
  if ('problem' in response) return sendProblem(exchange, deps, response.problem, ['Penstock-Seq', seq])
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
