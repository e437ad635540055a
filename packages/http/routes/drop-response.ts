import { CatalogueDrop } from '../catalogue-drop.ts'
import { expected } from '../expected.ts'
import { toSeconds } from '../wire.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { JsonResponse } from '../serve-write.ts'

/** The drop as the writer left it. */
export function dropResponse(result: Accepted, status: 200 | 201): JsonResponse {
  const { drop, skus, nowMs } = expected(result, 'drop_saved')
  const row = new CatalogueDrop({ drop, skus })
  return { status, json: row.json(row.status(nowMs), toSeconds(nowMs)) }
}
