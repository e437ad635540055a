import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { answerLate, authorise, countParams, readParams, sendProblem } from './api.ts'
import { bodyParser } from './json-body.ts'
import { readMinSeq } from './min-seq.ts'
import { problem } from './problem.ts'
import { readIdempotencyKey, requestKey } from './request-key.ts'
import { scopeOf } from './route.ts'
import type { Static, TObject } from 'typebox'
import type { Scope } from '@penstock/domain/api-key.ts'
import type { Command, RequestKey } from '@penstock/domain/command.ts'
import type { Accepted, Rejected, Result } from '@penstock/domain/result.ts'
import type { Credential } from '@penstock/store/queries.ts'
import type { Deps, Router } from './api.ts'
import type { BodyParser } from './json-body.ts'
import type { Mint } from './mint.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Answers, JsonAnswer, RouteFacts } from './route.ts'
import type { HttpExchange } from './transport.ts'

/** What a command may be made with. */
type CommandDeps = Pick<Deps, 'queries' | 'providers' | 'providerCalls' | 'webhookUrlRules'>
/** What a request may be refused by. */
type RefusalDeps = Pick<Deps, 'catalogue' | 'writer' | 'clock'>
type Awaitable<Value> = Value | Promise<Value>

/** A route that changes something: request → Command → (writer) → Result → response. */
export interface WriteFacts<
  Path extends string,
  Body extends TObject,
  Declared extends Answers,
> extends RouteFacts<Path> {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly body: Body
  readonly answers: Declared
  /** The command of a valid request, or what is wrong with it; a promise where somebody outside has to be asked. */
  toCommand(request: WriteRequest<Static<Body>>, deps: CommandDeps): Awaitable<Command | { readonly problem: Problem }>
  /**
   * A refusal that the commits this process has seen make certain, so that the writer need not be asked, unless an
   * Idempotency-Key may have an earlier answer. Not called for requests whose Penstock-Min-Seq this process has not seen.
   */
  refuseHere?(request: WriteRequest<Static<Body>>, deps: RefusalDeps): Rejected | null
  /** The response to an accepted command: one of `answers`. */
  toResponse(result: Accepted, request: WriteRequest<Static<Body>>, deps: Pick<Deps, 'queries'>): JsonAnswer<Declared>
}

/** Any `WriteFacts`, ready to serve. */
export interface WriteRoute extends RouteFacts<string> {
  readonly kind: 'write'
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly body: TObject
  readonly answers: Answers
  readonly parseBody: BodyParser<unknown>
  refuseHere?(request: WriteRequest<unknown>, deps: RefusalDeps): Rejected | null
  toCommand(request: WriteRequest<unknown>, deps: CommandDeps): Awaitable<Command | { readonly problem: Problem }>
  toResponse(
    result: Accepted,
    request: WriteRequest<unknown>,
    deps: Pick<Deps, 'queries'>,
  ): { readonly status: number; readonly json: string }
}

export function writeRoute<const Path extends string, Body extends TObject, Declared extends Answers>(
  facts: WriteFacts<Path, Body, Declared>,
) {
  return { ...facts, kind: 'write' as const, parseBody: bodyParser(facts.body) }
}

/** What any write may answer, in order of precedence. */
export const writeProblems = [
  'unauthorized',
  'forbidden',
  'body_too_large',
  'invalid_idempotency_key',
  'unsupported_media_type',
  'invalid_json',
  'invalid_request',
  'overloaded',
  'key_reused',
  'internal_error',
  'deadline_exceeded',
] as const satisfies readonly ProblemCode[]

export interface WriteRequest<Body> {
  readonly body: Body
  /** The `:name` of the path, in order. */
  readonly params: readonly string[]
  readonly credential: Credential
  /** Header `Penstock-Client-Secret`; empty when absent. */
  readonly clientSecret: string
  /** Header `Penstock-Min-Seq`; 0 when absent, and where the route may not refuse by itself. */
  readonly minSeq: number
  /** The client's Idempotency-Key, or null. */
  readonly key: RequestKey | null
  /** The same, or a fresh one: for commands that are not harmless to repeat without a key. */
  readonly ownKey: () => RequestKey
  readonly mint: Mint
  readonly nowMs: number
}

/** What a request says in its head, taken while it can still be read. */
interface RequestHead {
  readonly authorization: string
  readonly contentType: string
  readonly idempotencyKey: string
  readonly clientSecret: string
  readonly minSeq: string
  readonly params: readonly string[]
}

export function serveWrite(router: Router, route: WriteRoute, deps: Deps): void {
  serveBody(router, route, deps, (exchange, request) => submit(exchange, route, request, deps))
}

/** What a route with a body says of itself before it does anything. */
export type BodyFacts = Pick<WriteRoute, 'method' | 'path' | 'resource' | 'access' | 'parseBody' | 'refuseHere'>

/** Calls `onRequest` with every request that may be carried out; answers the others. */
export function serveBody(
  router: Router,
  route: BodyFacts,
  deps: Deps,
  onRequest: (exchange: HttpExchange, request: WriteRequest<unknown>) => void,
): void {
  const scope = scopeOf({ kind: 'write', resource: route.resource })
  const paramCount = countParams(route.path)
  router.route(route.method, route.path, (exchange) => {
    const head: RequestHead = {
      authorization: exchange.header('authorization'),
      contentType: exchange.header('content-type'),
      idempotencyKey: exchange.header('idempotency-key'),
      clientSecret: exchange.header('penstock-client-secret'),
      minSeq: route.refuseHere === undefined ? '' : exchange.header('penstock-min-seq'),
      params: readParams(exchange, paramCount),
    }
    // Nothing happens before the whole body is here: only then is the request known to be well framed.
    exchange.readBody(bodyBytesMax, (bytes) => {
      const request = readRequest(route, scope, head, bytes, deps)
      if ('problem' in request) return sendProblem(exchange, deps, request.problem)
      onRequest(exchange, request)
    })
  })
}

/** Checks in order of precedence: key, size, Idempotency-Key, body, Penstock-Min-Seq. */
function readRequest(
  route: BodyFacts,
  needed: Scope,
  head: RequestHead,
  bytes: Uint8Array | null,
  deps: Deps,
): WriteRequest<unknown> | { readonly problem: Problem } {
  const caller = authorise(head.authorization, route.access, needed, deps)
  if ('problem' in caller) return caller
  if (bytes === null) {
    return { problem: problem('body_too_large', `The body may have at most ${bodyBytesMax} bytes.`) }
  }
  const keyed = readIdempotencyKey(head.idempotencyKey)
  if ('problem' in keyed) return keyed
  const parsed = route.parseBody(bytes, head.contentType)
  if ('problem' in parsed) return parsed
  const read = readMinSeq(head.minSeq)
  if ('problem' in read) return read
  const { credential } = caller
  const { params, clientSecret } = head
  const { body } = parsed
  const { minSeq } = read
  const scope = `${credential.id} ${route.method} ${route.path}`
  // The client secret belongs to the request: a replay must not show a hold to somebody who only knows the key.
  const toKey = (key: string): RequestKey => requestKey(scope, key, [params, clientSecret, body])
  const key = keyed.key === null ? null : toKey(keyed.key)
  const ownKey = (): RequestKey => key ?? toKey(deps.mint.key())
  return { body, params, credential, clientSecret, minSeq, key, ownKey, mint: deps.mint, nowMs: deps.clock() }
}

function submit(exchange: HttpExchange, route: WriteRoute, request: WriteRequest<unknown>, deps: Deps): void {
  const refusal = refuseHere(route, request, deps)
  if (refusal !== null) return sendRefusal(exchange, deps, refusal, deps.catalogue.seq)
  const made = route.toCommand(request, deps)
  if (!(made instanceof Promise)) return send(exchange, route, request, made, deps)
  made.then(
    (command) => answerLate(exchange, deps, () => send(exchange, route, request, command, deps)),
    (error: unknown) =>
      answerLate(exchange, deps, () => {
        throw error
      }),
  )
}

/** An earlier answer under a key may have to be given again: then, and where that is not known, only the writer can. */
function refuseHere(route: WriteRoute, request: WriteRequest<unknown>, deps: Deps): Rejected | null {
  if (route.refuseHere === undefined) return null
  if (deps.catalogue.seq < request.minSeq) return null
  const refusal = route.refuseHere(request, deps)
  if (refusal === null || request.key === null) return refusal
  return deps.queries.mayRemember(request.key.id) ? null : refusal
}

function send(
  exchange: HttpExchange,
  route: WriteRoute,
  request: WriteRequest<unknown>,
  command: Command | { readonly problem: Problem },
  deps: Deps,
): void {
  if ('problem' in command) return sendProblem(exchange, deps, command.problem)
  const taken = deps.writer.submit(command, (reply) => {
    if (reply === null) return sendProblem(exchange, deps, deadlineExceeded)
    answerLate(exchange, deps, () =>
      sendResult(exchange, deps, reply.result, reply.seq, (accepted) => route.toResponse(accepted, request, deps)),
    )
  })
  if (!taken)
    sendProblem(exchange, deps, problem('overloaded', 'Too many requests wait for the writer; nothing was done.'))
}

const deadlineExceeded = problem(
  'deadline_exceeded',
  'No answer from the writer in time. The request may still have been carried out: ask again with the same Idempotency-Key.',
)

function sendResult(
  exchange: HttpExchange,
  deps: Deps,
  result: Result,
  seq: number,
  toResponse: (result: Accepted) => { readonly status: number; readonly json: string },
): void {
  if (isRejected(result)) return sendRefusal(exchange, deps, result, seq)
  const { status, json } = toResponse(result)
  const headers = ['Content-Type', 'application/json', 'Penstock-Seq', String(seq)]
  if (result.replayed) headers.push('Idempotent-Replayed', 'true')
  exchange.send(status, headers, json)
}

/** What the engine refuses, as of commit `seq`. */
function sendRefusal(exchange: HttpExchange, deps: Deps, { outcome, detail, param }: Rejected, seq: number): void {
  sendProblem(exchange, deps, { code: outcome, detail, param }, ['Penstock-Seq', String(seq)])
}
