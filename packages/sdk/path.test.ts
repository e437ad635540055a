import { expect, test } from 'vitest'
import { path } from './path.ts'

test('path encodes its parameters and nothing else', () => {
  expect(path`drops`).toBe('/v1/drops')
  expect(path`drops/${'drop_1'}/publish`).toBe('/v1/drops/drop_1/publish')
  expect(path`codes/${'a/b?c#d é'}/verify`).toBe('/v1/codes/a%2Fb%3Fc%23d%20%C3%A9/verify')
})

test.each(['', '.', '..', undefined as unknown as string, null as unknown as string])('path refuses %j', (id) => {
  expect(() => path`drops/${id}`).toThrow(TypeError)
})
