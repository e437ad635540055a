import { expect, it } from 'vitest'
import * as limits from './limits.ts'

it('limits agree with each other, as the import asserts, and are positive whole numbers', () => {
  expect(Object.keys(limits).length).toBeGreaterThan(40)
  for (const [name, value] of Object.entries(limits)) {
    expect(Number.isSafeInteger(value) && value > 0, `${name} is ${value}`).toBe(true)
  }
})
