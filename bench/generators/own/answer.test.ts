import { expect, test } from 'vitest'
import { readAnswer, readId } from './answer.ts'

const answer = 'HTTP/1.1 201 Created\r\nServer: x\r\ncontent-length: 13\r\n\r\n{"id":"h_1-a"'

test('readAnswer needs every byte, at whatever place they are cut', () => {
  for (let cut = 0; cut < answer.length; cut++) expect(readAnswer(Buffer.from(answer.slice(0, cut)))).toBeNull()
  expect(readAnswer(Buffer.from(`${answer}HTTP/1.1`))).toEqual({ status: 201, length: answer.length })
})

test('readAnswer takes an answer without a body', () => {
  const empty = 'HTTP/1.1 204 No Content\r\n\r\n'
  expect(readAnswer(Buffer.from(empty))).toEqual({ status: 204, length: empty.length })
})

test.each([
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'not an answer'],
  ['a status that is none', 'HTTP/1.1 99x\r\n\r\n', 'not an answer'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'chunks'],
  ['an endless head', 'x'.repeat(20_000), 'no end of the head'],
])('readAnswer refuses %s', (_, bytes, message) => {
  expect(() => readAnswer(Buffer.from(bytes))).toThrow(message)
})

test('readId finds ids of texts and numbers', () => {
  expect(readId(answer)).toBe('h_1-a')
  expect(readId('{"id": 17}')).toBe('17')
  expect(readId('{}')).toBeNull()
})
