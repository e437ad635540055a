import { expect } from 'vitest'
import type { Answer } from '../client.ts'
import type { WireProblem } from '../wire-types.ts'

/** The answer is a complete problem+json with these facts. */
export function expectProblem(answer: Answer<unknown>, status: number, code: string, param: string | null): void {
  expect(expectRefusal(answer)).toMatchObject({ status, code, param })
}

/** The answer is a 4xx or 5xx with all eight fields of a problem, which it returns. */
export function expectRefusal(answer: Answer<unknown>): WireProblem {
  const problem = answer.body as WireProblem
  const text: unknown = expect.stringMatching(/\S/)
  expect(problem).toStrictEqual({
    type: `urn:penstock:problem:${problem.code}`,
    title: text,
    status: answer.status,
    detail: text,
    code: expect.stringMatching(/^[a-z_]+$/) as unknown,
    param: problem.param === null ? null : text,
    request_id: answer.headers['request-id'],
    retryable: expect.any(Boolean) as unknown,
  })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(answer.headers['request-id']).toMatch(/^req_[\w-]{16}$/)
  return problem
}
