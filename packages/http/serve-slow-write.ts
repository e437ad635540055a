import { answerLate } from './api.ts'
import { slowReadProblems } from './serve-read.ts'
import { serveBody, writeProblems } from './serve-write.ts'
import type { TObject } from 'typebox'
import type { Deps, Router } from './api.ts'
import type { BodyParser } from './json-body.ts'
import type { ProblemCode } from './problem.ts'
import type { Answers, RouteFacts } from './route.ts'
import type { WriteRequest } from './serve-write.ts'
import type { HttpExchange } from './transport.ts'

/** A route that looks for what to change, and takes many commands. Each call does a bounded part, which may be repeated. */
export interface SlowWriteRoute extends RouteFacts<string> {
  readonly kind: 'slow_write'
  readonly method: 'POST'
  readonly body: TObject
  readonly answers: Answers
  readonly parseBody: BodyParser<unknown>
  /** Answers by itself, later. A rejection is answered 500. */
  perform(exchange: HttpExchange, request: WriteRequest<unknown>, deps: Deps): Promise<void>
}

/** What any slow write may answer. */
export const slowWriteProblems = [
  ...new Set<ProblemCode>([...writeProblems, ...slowReadProblems]),
] satisfies readonly ProblemCode[]

export function serveSlowWrite(router: Router, route: SlowWriteRoute, deps: Deps): void {
  serveBody(router, route, deps, (exchange, request) => {
    route.perform(exchange, request, deps).catch((error: unknown) => {
      answerLate(exchange, deps, () => {
        throw error
      })
    })
  })
}
