import { CatalogueDrop } from '../catalogue-drop.ts'
import { expected } from '../expected.ts'
import { toSeconds } from '@penstock/wire/wire.ts'
import type { Accepted } from '@penstock/domain/result.ts'
import type { Json } from '../route.ts'
import type { WireDrop } from '@penstock/wire/wire.ts'

/** The drop as the writer left it. */
export function dropResponse<Status extends 200 | 201>(
  result: Accepted,
  status: Status,
): { status: Status; json: Json<WireDrop> } {
  const { drop, skus, nowMs } = expected(result, 'drop_saved')
  const row = new CatalogueDrop({ drop, skus })
  return { status, json: row.json(row.status(nowMs), toSeconds(nowMs)) }
}
