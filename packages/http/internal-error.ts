/** What a transport answers for a handler that threw. Says nothing of the cause, which goes to the log. */
export const INTERNAL_ERROR = {
  status: 500,
  headers: ['content-type', 'application/problem+json'],
  body: JSON.stringify({
    type: 'urn:penstock:problem:internal_error',
    title: 'Internal error',
    status: 500,
    detail: 'The request failed inside the server. It may have taken effect: retry it with the same idempotency key.',
    code: 'internal_error',
    param: null,
    request_id: null,
    retryable: true,
  }),
} as const
