import { filterNames } from '@penstock/store/scanner.ts'
import { collections } from './collections.ts'
import { createdParams, pageParams, readCreated, readPage, readParams } from './page.ts'
import { problem } from './problem.ts'
import { exportFormats } from './read-part.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { CollectionName, Selection } from '@penstock/store/scanner.ts'
import type { FilterRule } from './collections.ts'
import type { Params } from './page.ts'
import type { Problem } from './problem.ts'
import type { ExportFormat } from './read-part.ts'

type Refused = { readonly problem: Problem }

/** The query of a list. `nowMs`: Unix milliseconds, for what depends on the clock. */
export function readListQuery(
  name: CollectionName,
  query: string,
  nowMs: number,
): { readonly page: Page; readonly selection: Selection } | Refused {
  const read = readParams(query, [...pageParams, ...createdParams, ...filterNames[name]])
  if ('problem' in read) return read
  const page = readPage(read.params, collections[name].noun, collections[name].isCursor)
  if ('problem' in page) return page
  const selection = readSelection(name, read.params, nowMs)
  return 'problem' in selection ? selection : { page, selection }
}

/** The query of an export: the filters of the list, and `format`. */
export function readExportQuery(
  name: CollectionName,
  query: string,
  nowMs: number,
): { readonly format: ExportFormat; readonly selection: Selection } | Refused {
  const read = readParams(query, ['format', ...createdParams, ...filterNames[name]])
  if ('problem' in read) return read
  const format = exportFormats.find((known) => known === (read.params.format ?? 'csv'))
  if (format === undefined) {
    return { problem: problem('invalid_request', `format must be one of ${exportFormats.join(', ')}.`, 'format') }
  }
  const selection = readSelection(name, read.params, nowMs)
  return 'problem' in selection ? selection : { format, selection }
}

function readSelection(name: CollectionName, params: Params<string>, nowMs: number): Selection | Refused {
  const created = readCreated(params)
  if ('problem' in created) return created
  const filters: Record<string, string> = {}
  for (const [filter, rule] of Object.entries<FilterRule>(collections[name].filters)) {
    const value = params[filter]
    if (value === undefined) continue
    if (!rule.isValid(value)) {
      return { problem: problem('invalid_request', `${filter} must be ${rule.expected}.`, filter) }
    }
    filters[filter] = value
  }
  return { collection: name, filters, ...created, nowMs }
}
