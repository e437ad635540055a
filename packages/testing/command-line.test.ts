import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { readingOptions, UsageError, wholeOption } from './command-line.ts'

test.each(['0', '11', '-1', '1.5', '1e1', '', ' 5', 'x'])('wholeOption refuses %j and names the bounds', (text) => {
  expect(() => wholeOption('runs', text, { min: 1, max: 10 })).toThrow(
    new UsageError(`--runs is "${text}", expected a whole number from 1 to 10`),
  )
})

test('wholeOption takes what is within the bounds', () => {
  expect(['1', '10', '007'].map((text) => wholeOption('runs', text, { min: 1, max: 10 }))).toEqual([1, 10, 7])
})

test('readingOptions turns the errors of the parser into UsageError', () => {
  expect(() => readingOptions(() => parseArgs({ args: ['--foo'], options: {} }))).toThrow(UsageError)
})
