import { expect, test } from 'vitest'
import { countToken, lengthOfTokens, renderPieces, spreadEvenly } from './plan.ts'

const template = {
  method: 'POST',
  path: '/v1/payments',
  headers: { 'Idempotency-Key': '{token}' },
  body: '{"hold":"{token}","id":"{token}"}',
} as const

test('renderPieces counts the bytes of the body with its tokens in place', () => {
  const token = 'hold_0123456789'
  const request = renderPieces(template, 'http://127.0.0.1:8080', token.length).join(token)
  const [head, body] = request.split('\r\n\r\n')
  expect(body).toBe(`{"hold":"${token}","id":"${token}"}`)
  expect(head).toContain(`\r\nContent-Length: ${body?.length}`)
  expect(head).toContain(`\r\nIdempotency-Key: ${token}`)
  expect(head).toContain('\r\nHost: 127.0.0.1:8080')
})

test('renderPieces leaves a constant request in one piece, without a length when there is no body', () => {
  const read = { method: 'GET', path: '/', headers: {}, body: null } as const
  expect(renderPieces(read, 'http://127.0.0.1:1', 0)).toEqual(['GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n'])
})

test('lengthOfTokens refuses tokens of different lengths, which would break Content-Length', () => {
  expect(lengthOfTokens({ kind: 'list', list: ['ab', 'cd'] })).toBe(2)
  expect(() => lengthOfTokens({ kind: 'list', list: ['ab', 'c'] })).toThrow('one length')
})

test('countToken has the length that lengthOfTokens says', () => {
  expect(countToken(7)).toHaveLength(lengthOfTokens({ kind: 'count', from: 0 }))
})

test('spreadEvenly gives each step its share, without rows of the same', () => {
  expect(spreadEvenly([6, 1, 1, 1, 1])).toEqual([0, 0, 1, 0, 2, 0, 3, 0, 4, 0])
  expect(spreadEvenly([1])).toEqual([0])
  for (const weights of [
    [3, 2, 5],
    [1, 1, 1],
    [60, 10, 10, 10, 10],
  ]) {
    const order = spreadEvenly(weights)
    expect(weights.map((_, place) => order.filter((step) => step === place).length)).toEqual(weights)
  }
})
