import { ProblemError } from './errors.ts'
import { parseRetryAfter } from './retry.ts'
import type { FailedRequest, Problem } from './errors.ts'

/** A proxy's error page is quoted up to here. */
const quotedLengthMax = 200

/** The JSON of an answer that went well. Throws ProblemError `unexpected_response` when it is none. */
export function parseJson(response: Response, text: string, failed: FailedRequest): object {
  const body = parseObject(text)
  if (body !== null) return body
  throw new ProblemError(unexpected(response, text, 'The answer is not JSON'), null, failed)
}

/**
 * The error that an answer means. `failed` is what holds should this answer not say what became of the request;
 * `doubt`: an earlier attempt of the same write may have taken effect.
 */
export function problemOf(
  response: Response,
  text: string,
  failed: FailedRequest,
  { doubt, nowMs }: { readonly doubt: boolean; readonly nowMs: number },
): ProblemError {
  const body = parseObject(text)
  const problem =
    typeof body?.['code'] === 'string'
      ? fillProblem(response, body, body['code'])
      : unexpected(response, text, 'The answer is no problem document')
  const { idempotencyKey } = failed
  const outcomeUnknown = failed.outcomeUnknown && leavesInDoubt(problem, doubt)
  return new ProblemError(problem, parseRetryAfter(response.headers.get('retry-after'), nowMs), {
    idempotencyKey,
    outcomeUnknown,
  })
}

/** A refusal with 4xx is the outcome. 429 and 503 did nothing this time. Anything else says nothing. */
function leavesInDoubt({ status }: Problem, doubt: boolean): boolean {
  if (status === 429 || status === 503) return doubt
  return status < 400 || status >= 500
}

function fillProblem({ status, headers }: Response, body: Record<string, unknown>, code: string): Problem {
  const text = (name: string): string | null => (typeof body[name] === 'string' ? body[name] : null)
  return {
    code,
    status,
    title: text('title') ?? code,
    detail: text('detail') ?? text('title') ?? `HTTP ${status}`,
    param: text('param'),
    request_id: text('request_id') ?? headers.get('request-id'),
    retryable: body['retryable'] === true,
  }
}

function unexpected({ status, headers }: Response, text: string, what: string): Problem {
  const quote = text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text
  return {
    code: 'unexpected_response',
    status,
    title: what,
    detail: `${what}; HTTP ${status}: ${JSON.stringify(quote)}`,
    param: null,
    request_id: headers.get('request-id'),
    retryable: status === 429 || status >= 500,
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
