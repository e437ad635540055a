import { sendProblem } from './api.ts'
import { matchesTag } from './etag.ts'
import type { TSchema } from 'typebox'
import type { Deps, Router } from './api.ts'
import type { Problem, ProblemCode } from './problem.ts'

/** A GET that needs no key and reflects no commit: health and the documents. */
export interface PlainRoute {
  readonly kind: 'plain'
  readonly path: string
  readonly summary: string
  readonly problems: readonly ProblemCode[]
  readonly contentType: string
  readonly answer: TSchema
  /** Whether answers carry an ETag. */
  readonly hasTag?: true
  respond(deps: Deps): PlainResponse | { readonly problem: Problem }
}

/** `headers` alternates name, value. */
export interface PlainResponse {
  readonly body: string | Uint8Array
  readonly etag?: string
  readonly headers?: readonly string[]
}

/** What any plain route may answer. */
export const plainProblems = ['internal_error'] as const satisfies readonly ProblemCode[]

export function servePlain(router: Router, route: PlainRoute, deps: Deps): void {
  router.route('GET', route.path, (exchange) => {
    const response = route.respond(deps)
    if ('problem' in response) return sendProblem(exchange, deps, response.problem)
    const { body, etag, headers = [] } = response
    const tagged = etag === undefined ? headers : [...headers, 'ETag', etag]
    if (etag !== undefined && matchesTag(exchange.header('if-none-match'), etag)) {
      return exchange.send(304, tagged, '')
    }
    exchange.send(200, ['Content-Type', route.contentType, ...tagged], body)
  })
}
