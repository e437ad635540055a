import { usageError } from '../exit-code.ts'
import type { Call, Context, Option } from '../command.ts'

/** Rows of a list that is for people. */
const limitDefault = 20
const limitMax = 1_000_000

export const limitOption: Option = { flags: '--limit <number>', summary: `show at most so many (${limitDefault})` }

/** Throws unless `--limit` is a whole number in its bounds. */
export function limitOf(call: Call): number {
  return wholeOf(call, 'limit', { min: 1, max: limitMax }) ?? limitDefault
}

/** The value of `--name`, a whole number within the bounds; undefined when it was not given. */
export function wholeOf(
  call: Call,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const text = call.text(name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value
  throw usageError(`--${name} is "${text}", expected a whole number from ${min} to ${max}`)
}

export function printMore(hasMore: boolean, { output }: Context): void {
  if (hasMore) output.note('There are more: see --limit.')
}
