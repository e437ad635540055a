import { Compile } from 'typebox/compile'
import { pageSizeDefault, pageSizeMax } from '@penstock/domain/limits.ts'
import { problem } from './problem.ts'
import { whole, wireTime } from '@penstock/wire/schema-fields.ts'
import type { TSchema } from 'typebox'
import type { Page } from '@penstock/store/queries.ts'
import type { Problem } from './problem.ts'

type Refused = { readonly problem: Problem }

/** The parameters of a query string, by name. */
export type Params<Name extends string> = Readonly<Partial<Record<Name, string>>>

/** The part of a list: `cursor` is the id of what is listed. */
export function pageParams<Cursor extends TSchema>(cursor: Cursor) {
  return {
    limit: { ...whole(1, pageSizeMax, pageSizeDefault), default: pageSizeDefault },
    starting_after: cursor,
    ending_before: cursor,
  }
}

/** When something was made: Unix seconds, both included. */
export const createdParams = { created_from: wireTime, created_to: wireTime }

type PageName = keyof ReturnType<typeof pageParams>
type CreatedName = keyof typeof createdParams

/** When something was made. Unix milliseconds; null: no bound. */
export interface CreatedRange {
  readonly createdFromMs: number | null
  /** Exclusive. */
  readonly createdBeforeMs: number | null
}

interface ParamRule {
  readonly isValid: (text: string) => boolean
  readonly expected: string
}

/**
 * Reads the queries of one route. `params` are its parameters as the documents have them; a `description` completes
 * "NAME must be …". Built once per route.
 */
export class QueryReader<const Name extends string> {
  readonly params: Readonly<Record<Name, TSchema>>
  readonly #rules: ReadonlyMap<string, ParamRule>

  constructor(params: Readonly<Record<Name, TSchema>>) {
    this.params = params
    this.#rules = new Map(Object.entries<TSchema>(params).map(([name, schema]) => [name, paramRule(schema)]))
  }

  /** The texts of a raw query string. Unknown and repeated parameters are refused by name. */
  split(query: string): { readonly params: Params<Name> } | Refused {
    const params: Partial<Record<string, string>> = {}
    for (const [name, text] of new URLSearchParams(query)) {
      if (!this.#rules.has(name)) {
        return refuse(name, `${name} is not a parameter here; there are ${[...this.#rules.keys()].join(', ')}.`)
      }
      if (params[name] !== undefined) return refuse(name, `${name} is given more than once.`)
      params[name] = text
    }
    return { params: params as Params<Name> }
  }

  /** The refusal of the first of `names` whose text does not fit its schema; null when all fit. */
  firstWrong(params: Params<Name>, names: readonly Name[]): Refused | null {
    for (const name of names) {
      const text = params[name]
      const rule = this.#rules.get(name)
      if (text !== undefined && rule?.isValid(text) !== true) {
        return refuse(name, `${name} must be ${rule?.expected}.`)
      }
    }
    return null
  }
}

function paramRule(schema: TSchema): ParamRule {
  const validator = Compile(schema)
  const isWhole = 'type' in schema && schema.type === 'integer'
  return {
    // At most 15 digits, which a number holds exactly.
    isValid: (text) => (isWhole ? /^\d{1,15}$/.test(text) && validator.Check(Number(text)) : validator.Check(text)),
    expected: 'description' in schema ? String(schema.description) : 'a valid value',
  }
}

/** Of a reader with `pageParams`. */
export function readPage(reader: Pick<QueryReader<PageName>, 'firstWrong'>, params: Params<PageName>): Page | Refused {
  const { limit, starting_after: startingAfter, ending_before: endingBefore } = params
  const wrongLimit = reader.firstWrong(params, ['limit'])
  if (wrongLimit !== null) return wrongLimit
  if (startingAfter !== undefined && endingBefore !== undefined) {
    return refuse('ending_before', 'starting_after and ending_before cannot be combined.')
  }
  const wrongCursor = reader.firstWrong(params, ['starting_after', 'ending_before'])
  if (wrongCursor !== null) return wrongCursor
  return {
    limit: Number(limit ?? pageSizeDefault),
    startingAfter: startingAfter ?? null,
    endingBefore: endingBefore ?? null,
  }
}

/** Of a reader with `createdParams`. */
export function readCreated(
  reader: Pick<QueryReader<CreatedName>, 'firstWrong'>,
  params: Params<CreatedName>,
): CreatedRange | Refused {
  const wrong = reader.firstWrong(params, ['created_from', 'created_to'])
  if (wrong !== null) return wrong
  const { created_from: from, created_to: to } = params
  if (from !== undefined && to !== undefined && Number(to) < Number(from)) {
    return refuse('created_to', 'created_to must not be before created_from.')
  }
  return {
    createdFromMs: from === undefined ? null : Number(from) * 1_000,
    createdBeforeMs: to === undefined ? null : (Number(to) + 1) * 1_000,
  }
}

function refuse(name: string, detail: string): Refused {
  return { problem: problem('invalid_request', detail, name) }
}
