import { requestDeadlineMs } from '@penstock/domain/limits.ts'

/** The box refused. The message has the problem's detail. */
export class ApiError extends Error {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

/** The few calls the command line makes to its own box. Throws ApiError when refused. */
export async function callApi(
  baseUrl: string,
  secretKey: string,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await fetch(baseUrl + path, {
    method,
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(requestDeadlineMs * 2),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) {
    throw new ApiError(`${method} ${path}: ${response.status} ${String(answer['detail'])}`, response.status)
  }
  return answer
}
