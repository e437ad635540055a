import { describe, expect, it } from 'vitest'
import { AnswerChecker } from './answer-check.ts'
import { currentDocument } from './golden.ts'
import type { Answer } from '../client.ts'

const document = currentDocument()
const checker = new AnswerChecker(document)
const hold = document.components.schemas['Hold']?.examples?.[0] as Record<string, unknown>
const path = `/v1/holds/${String(hold['id'])}`

function answer(over: Partial<Answer<unknown>> = {}): Answer<unknown> {
  const headers = { 'content-type': 'application/json', 'penstock-seq': '7' }
  return { status: 200, headers, text: '{}', body: hold, ...over }
}

function refusal(status: number, code: string): Answer<unknown> {
  const body = {
    type: `urn:penstock:problem:${code}`,
    title: 'x',
    status,
    detail: 'x',
    code,
    param: null,
    request_id: 'req_1',
    retryable: false,
  }
  const allow = status === 405 ? { allow: 'GET, DELETE' } : {}
  const headers = { 'content-type': 'application/problem+json', 'request-id': 'req_1', ...allow }
  return { status, headers, text: '{}', body }
}

describe('AnswerChecker', () => {
  it.each<[string, string, Answer<unknown>, RegExp | null]>([
    ['takes what is in the document', 'GET', answer(), null],
    ['refuses a status that is not listed', 'GET', answer({ status: 202 }), /lists 200, .*not 202/],
    ['refuses another type', 'GET', answer({ headers: { 'penstock-seq': '7' } }), /Content-Type is ""/],
    ['refuses a missing header', 'GET', answer({ headers: { 'content-type': 'application/json' } }), /Penstock-Seq/],
    [
      'refuses an unknown header',
      'GET',
      answer({ headers: { ...answer().headers, 'x-debug': '1' } }),
      /x-debug is not in the document/,
    ],
    ['refuses a field too many', 'GET', answer({ body: { ...hold, secret: 1 } }), /additional properties.*secret/],
    [
      'refuses a field too many deep inside',
      'GET',
      answer({ body: { ...hold, customer: { email: 'a@b', phone: null, external_id: null, age: 3 } } }),
      /\/customer must NOT have additional/,
    ],
    ['refuses a wrong value', 'GET', answer({ body: { ...hold, amount: 1.5 } }), /\/amount must be integer/],
    ['refuses a missing field', 'GET', answer({ body: { ...hold, amount: undefined } }), /\/amount|required/],
    ['takes a problem that is listed', 'GET', refusal(404, 'not_found'), null],
    ['refuses one that is not', 'GET', refusal(404, 'route_not_found'), /one of the allowed values|equal to one/],
    ['refuses a problem with another status inside', 'GET', { ...refusal(404, 'not_found'), status: 400 }, /status/],
    ['takes a refusal of the method with what is allowed', 'PUT', refusal(405, 'method_not_allowed'), null],
    [
      'refuses one that allows something else',
      'PUT',
      { ...refusal(405, 'method_not_allowed'), headers: { allow: 'GET' } },
      /Allow is "GET", not GET, DELETE/,
    ],
  ])('%s', (_, method, given, wrong) => {
    const found = checker.deviations({ method, path }, given)
    if (wrong === null) expect(found).toEqual([])
    else expect(found.join('\n')).toMatch(wrong)
  })

  it('expects 404 where no route is, and prefers literal segments', () => {
    expect(checker.deviations({ method: 'GET', path: '/v2/x?y' }, refusal(404, 'route_not_found'))).toEqual([])
    expect(checker.deviations({ method: 'GET', path: '/v2/x' }, answer())).not.toEqual([])
    expect(checker.deviations({ method: 'GET', path: '/v1/holds/' }, refusal(404, 'route_not_found'))).toEqual([])
  })

  it('throws with the request, every deviation and the answer', () => {
    const wrong = answer({ status: 202, text: '{"id":1}' })
    expect(() => checker.check({ method: 'GET', path }, wrong)).toThrow(
      /^GET \/v1\/holds\/.* answered 202 .*\n.*\n\{"id"/,
    )
  })
})
