import { oldDropStatus } from './legacy-drops.ts'
import { oldJson, sendOld, sendOldError } from './old-answer.ts'
import type { Deps } from '../api.ts'
import type { HttpExchange } from '../transport.ts'
import type { LegacyDrop } from './legacy-drops.ts'

/** `GET /api/drops`: ready bytes. */
export function listOldDrops(exchange: HttpExchange, { legacy }: Pick<Deps, 'legacy'>): void {
  exchange.send(200, oldJson, legacy.drops.list())
}

/** `GET /api/drops/:id/status` */
export function readOldStatus(exchange: HttpExchange, deps: Pick<Deps, 'legacy' | 'clock'>): void {
  const found = findOldDrop(exchange, deps)
  if (found !== null) sendOld(exchange, 200, oldDropStatus(found, deps.clock()))
}

/** The drop of the path. Null: answered already, 400 for what is no number, 404 for a number of no drop. */
export function findOldDrop(exchange: HttpExchange, { legacy }: Pick<Deps, 'legacy'>): LegacyDrop | null {
  const text = exchange.param(0)
  if (!/^\d{1,16}$/.test(text)) {
    sendOldError(exchange, 400, 'Invalid drop ID')
    return null
  }
  const found = legacy.drops.find(Number(text))
  if (found === null) sendOldError(exchange, 404, 'Drop not found')
  return found
}
