import Type from 'typebox'
import { sendProblem } from '../api.ts'
import { exportReader } from '../collection-query.ts'
import { collectionNames, collections, resourceOf } from '../collections.ts'
import { exportBody, exportFileName, exportTypes, readExportPart } from '../export-body.ts'
import { problem } from '../problem.ts'
import { titleOf } from '@penstock/wire/schema-fields.ts'
import { answerSlowReadError } from '../slow-reads.ts'
import type { CollectionName } from '@penstock/store/scanner.ts'
import type { SlowReadRoute } from '../serve-read.ts'

/** `GET /v1/exports/orders` and so on: everything the list with these filters would show, as one file. */
export const exportRoutes: readonly SlowReadRoute[] = collectionNames.map(exportRoute)

function exportRoute(name: CollectionName): SlowReadRoute {
  const reader = exportReader(name)
  const things = name.replaceAll('_', ' ')
  const { item, csvHeader } = collections[name]
  return {
    kind: 'slow_read',
    path: `/v1/exports/${name}`,
    resource: resourceOf(name),
    access: 'secret',
    summary: `Export all ${things} that the list with these filters would show, newest first, as one file`,
    params: {},
    query: reader.params,
    content: {
      [exportTypes.csv]: Type.String({ description: `the columns ${csvHeader.join(', ')}` }),
      [exportTypes.ndjson]: Type.String({ description: `one ${titleOf(item)} a line` }),
    },
    isFile: true,
    problems: [],
    answer: async (exchange, { query }, seq, deps) => {
      const { slowReads, clock } = deps
      const seqHeader = ['Penstock-Seq', seq]
      const plan = reader.read(query, clock())
      if ('problem' in plan) return sendProblem(exchange, deps, plan.problem, seqHeader)
      if (!slowReads.exports.enter()) {
        return sendProblem(exchange, deps, problem('overloaded', 'Too many exports are under way.'), seqHeader)
      }
      try {
        const first = await readExportPart(slowReads.readExportPart, plan, null)
        const fileName = exportFileName(plan)
        const headers = ['Content-Type', exportTypes[plan.format], 'Cache-Control', 'no-store', ...seqHeader]
        headers.push('Content-Disposition', `attachment; filename="${fileName}"`)
        await exchange.stream(200, headers, exportBody(slowReads.readExportPart, plan, first, clock))
      } catch (error) {
        answerSlowReadError(exchange, deps, error, seqHeader)
      } finally {
        slowReads.exports.leave()
      }
    },
  }
}
