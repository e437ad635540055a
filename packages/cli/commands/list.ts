import { usageError } from '../exit-code.ts'
import { table } from '../output.ts'
import type { Json } from '../api-client.ts'
import type { Call, Context, Option } from '../command.ts'
import type { Column } from '../output.ts'

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

export interface Listed {
  readonly data: readonly Json[]
  readonly hasMore: boolean
}

/** A list as a table with `columns`, or as JSON. */
export function printList(
  { data, hasMore }: Listed,
  columns: readonly Column<Json>[],
  call: Call,
  { output }: Context,
): void {
  if (call.json) return output.json({ object: 'list', data, has_more: hasMore })
  for (const line of table(columns, data)) output.line(line)
  if (data.length === 0) output.note('There are none.')
  if (hasMore) output.note('There are more: see --limit.')
}
