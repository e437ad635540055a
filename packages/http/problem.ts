import Type from 'typebox'
import { retryAfterSeconds } from '@penstock/domain/limits.ts'
import { retryable as retryableRejections } from '@penstock/domain/result.ts'
import { toJson } from './route.ts'
import type { Static } from 'typebox'
import type { RejectionCode } from '@penstock/domain/result.ts'
import type { Json } from './route.ts'

/** Every error this API can answer: refusals of the engine, and those of HTTP itself. */
export type ProblemCode = RejectionCode | HttpProblemCode

type HttpProblemCode =
  | 'invalid_json'
  | 'invalid_idempotency_key'
  | 'unauthorized'
  | 'forbidden'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'behind'
  | 'read_timeout'
  | 'not_ready'
  | 'invalid_signature'
  | 'webhook_expired'
  | 'invalid_webhook'
  | 'webhook_not_taken'
  | 'provider_not_configured'
  | 'provider_refused'
  | 'provider_unavailable'
  | 'deadline_exceeded'

interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Whether the same request, unchanged, may succeed later. */
  readonly retryable: boolean
}

const kind = (status: number, title: string, retryable: boolean): ProblemKind => ({ status, title, retryable })
const refusal = (code: RejectionCode, status: number, title: string): ProblemKind =>
  kind(status, title, retryableRejections[code])

/** The only map from outcomes to HTTP. */
export const problemKinds: Record<ProblemCode, ProblemKind> = {
  invalid_json: kind(400, 'The body is not JSON', false),
  invalid_request: refusal('invalid_request', 400, 'A field is wrong'),
  invalid_idempotency_key: kind(400, 'The Idempotency-Key is malformed', false),
  invalid_signature: kind(400, 'The webhook is not signed by its provider', false),
  webhook_expired: kind(400, 'The webhook was signed at another time', false),
  invalid_webhook: kind(400, 'The webhook is not understood', false),
  unauthorized: kind(401, 'No valid API key', false),
  forbidden: kind(403, 'This API key may not do this', false),
  invalid_client_secret: refusal('invalid_client_secret', 403, 'The client secret does not fit'),
  not_found: refusal('not_found', 404, 'No such object'),
  provider_not_configured: kind(404, 'The payment provider is not configured', false),
  route_not_found: kind(404, 'No such route', false),
  method_not_allowed: kind(405, 'The route has no such method', false),
  not_live: refusal('not_live', 409, 'The drop is not live'),
  sold_out: refusal('sold_out', 409, 'Not enough units are left'),
  limit_reached: refusal('limit_reached', 409, 'A limit of this drop is reached'),
  hold_not_active: refusal('hold_not_active', 409, 'The hold is not active'),
  invalid_transition: refusal('invalid_transition', 409, 'The object does not allow this now'),
  payment_conflict: refusal('payment_conflict', 409, 'The facts of the payment contradict each other'),
  refund_too_large: refusal('refund_too_large', 409, 'Less than that is left to refund'),
  dispute_conflict: refusal('dispute_conflict', 409, 'The dispute is known with other facts'),
  dispute_too_large: refusal('dispute_too_large', 409, 'Less than that is left to dispute'),
  code_used: refusal('code_used', 409, 'The code was used before'),
  code_void: refusal('code_void', 409, 'The code is void'),
  last_secret_key: refusal('last_secret_key', 409, 'One secret key that can make others must stay'),
  too_many_endpoints: refusal('too_many_endpoints', 409, 'There are as many webhook endpoints as there may be'),
  body_too_large: kind(413, 'The body is too large', false),
  unsupported_media_type: kind(415, 'The body must be application/json', false),
  key_reused: refusal('key_reused', 422, 'The Idempotency-Key belongs to another request'),
  internal_error: refusal('internal_error', 500, 'Internal error'),
  overloaded: refusal('overloaded', 503, 'Too many requests are waiting'),
  provider_refused: kind(502, 'The payment provider refused', false),
  provider_unavailable: kind(503, 'The payment provider does not answer', true),
  webhook_not_taken: kind(503, 'The webhook was not recorded', true),
  not_ready: kind(503, 'This process cannot serve yet', true),
  behind: kind(503, 'This process has not seen that commit yet', true),
  read_timeout: kind(503, 'The read took too long', true),
  deadline_exceeded: kind(504, 'The outcome is unknown: ask again with the same Idempotency-Key', true),
}

/** An answer that is an error. `detail` is one sentence with the values that mattered; `param` names the field. */
export interface Problem {
  readonly code: ProblemCode
  readonly detail: string
  readonly param: string | null
}

export function problem(code: ProblemCode, detail: string, param: string | null = null): Problem {
  return { code, detail, param }
}

/** The body of RFC 9457 with the fields of DESIGN section 7. */
export const problemObject = Type.Object(
  {
    type: Type.String({ pattern: '^urn:penstock:problem:[a-z_]+$', examples: ['urn:penstock:problem:not_found'] }),
    title: Type.String({ minLength: 1, description: 'what is wrong, in general', examples: ['No such object'] }),
    status: Type.Integer({ minimum: 400, maximum: 599, examples: [404] }),
    detail: Type.String({
      minLength: 1,
      description: 'what is wrong, with the values that mattered',
      examples: ['There is no drop drop_x.'],
    }),
    code: Type.Enum(Object.keys(problemKinds) as ProblemCode[], { examples: ['not_found'] }),
    param: Type.Union([Type.String(), Type.Null()], {
      description: 'the field, parameter or header at fault, or null',
      examples: ['id'],
    }),
    request_id: Type.Union([Type.String(), Type.Null()], { examples: ['req_5n0Yq2cH1uPZr8sV'] }),
    retryable: Type.Boolean({
      description: 'whether the same request, unchanged, may succeed later',
      examples: [false],
    }),
  },
  { title: 'Problem' },
)

export function renderProblem({ code, detail, param }: Problem, requestId: string): Json<Static<typeof problemObject>> {
  const { status, title, retryable } = problemKinds[code]
  return toJson({
    type: `urn:penstock:problem:${code}`,
    title,
    status,
    detail,
    code,
    param,
    request_id: requestId,
    retryable,
  })
}

export function problemHeaders({ code }: Problem, requestId: string): string[] {
  const headers = ['Content-Type', 'application/problem+json', 'Request-Id', requestId]
  const { status } = problemKinds[code]
  if (status === 503) headers.push('Retry-After', String(retryAfterSeconds))
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer realm="penstock"')
  return headers
}
