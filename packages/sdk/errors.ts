/**
 * Every `code` of a problem, as docs/api.md lists them. A newer server may send others, so `ProblemError.code` is open.
 * `unexpected_response` is the SDK's own: what came was no answer of Penstock (a proxy's error page, say).
 */
export const problemCodes = [
  'invalid_json',
  'invalid_request',
  'invalid_idempotency_key',
  'unauthorized',
  'forbidden',
  'invalid_client_secret',
  'not_found',
  'route_not_found',
  'method_not_allowed',
  'not_live',
  'sold_out',
  'limit_reached',
  'hold_not_active',
  'invalid_transition',
  'payment_conflict',
  'refund_too_large',
  'dispute_conflict',
  'dispute_too_large',
  'code_used',
  'code_void',
  'last_secret_key',
  'too_many_endpoints',
  'body_too_large',
  'unsupported_media_type',
  'key_reused',
  'internal_error',
  'overloaded',
  'not_ready',
  'invalid_signature',
  'webhook_expired',
  'invalid_webhook',
  'webhook_not_taken',
  'provider_not_configured',
  'provider_refused',
  'provider_unavailable',
  'behind',
  'read_timeout',
  'deadline_exceeded',
  'unexpected_response',
] as const

export type ProblemCode = (typeof problemCodes)[number]

/** What is known about the request that failed. */
export interface FailedRequest {
  /** The Idempotency-Key it carried; null for a read. */
  readonly idempotencyKey: string | null
  /** True when it was a write that may have taken effect. */
  readonly outcomeUnknown: boolean
}

/** The base of all errors that this package throws, but for wrong arguments (TypeError) and the reason of your own AbortSignal. */
export class PenstockError extends Error {
  override readonly name: string = 'PenstockError'
  /** The Idempotency-Key of the write that failed: asking again with it cannot do the work twice. Null for reads. */
  readonly idempotencyKey: string | null
  /** The write may have taken effect. Ask again with the same `idempotencyKey` to learn what became of it. */
  readonly outcomeUnknown: boolean

  constructor(message: string, request: FailedRequest, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.idempotencyKey = request.idempotencyKey
    this.outcomeUnknown = request.outcomeUnknown
  }
}

/** The document of RFC 9457 that Penstock answers with. */
export interface Problem {
  readonly title: string
  readonly status: number
  /** One sentence with the values that mattered. */
  readonly detail: string
  readonly code: string
  /** The field at fault, as `lines[0].quantity`, or null. */
  readonly param: string | null
  readonly request_id: string | null
  /** Whether the same request, unchanged, may succeed later. */
  readonly retryable: boolean
}

/** The server answered, and the answer is no. Tell the cases apart by `code`. */
export class ProblemError extends PenstockError {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode | (string & {})
  readonly param: string | null
  /** Of HTTP. */
  readonly status: number
  readonly title: string
  readonly detail: string
  /** Names the request in the server's log. */
  readonly requestId: string | null
  /** Whether the same request may succeed later, which can be minutes: `sold_out` is. Not: whether the SDK retried it. */
  readonly retryable: boolean
  /** How long the server asks to wait, or null. */
  readonly retryAfterMs: number | null

  constructor(problem: Problem, retryAfterMs: number | null, request: FailedRequest) {
    super(`${problem.code}: ${problem.detail}`, request)
    this.code = problem.code
    this.param = problem.param
    this.status = problem.status
    this.title = problem.title
    this.detail = problem.detail
    this.requestId = problem.request_id
    this.retryable = problem.retryable
    this.retryAfterMs = retryAfterMs
  }
}

/** No answer came: refused, reset, cut off half way, or no such host. `cause` is what fetch threw. */
export class ConnectionError extends PenstockError {
  override readonly name = 'ConnectionError'
}

/** No answer came in time. */
export class TimeoutError extends PenstockError {
  override readonly name = 'TimeoutError'
}
