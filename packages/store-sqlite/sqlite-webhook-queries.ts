import { openReader } from './open.ts'
import { eventColumns, toNumberedEvent } from './rows.ts'
import { deliveryColumns, endpointColumns, toDelivery, toEndpoint, toSecrets } from './webhook-rows.ts'
import type { WebhookDelivery } from '@penstock/domain/webhook.ts'
import type { NumberedEvent } from '@penstock/store/scanner.ts'
import type { EndpointWithSecrets, WebhookQueries } from '@penstock/store/webhook-queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { EventRow } from './rows.ts'
import type { DeliveryRow, EndpointRow } from './webhook-rows.ts'

/** `WebhookQueries` on a read-only connection of its own. */
export class SqliteWebhookQueries implements WebhookQueries {
  readonly #db: Connection
  readonly #endpoints: Statement<[], EndpointRow>
  readonly #secrets: Statement<[string], string>
  readonly #events: Statement<[number, number], EventRow>
  readonly #event: Statement<[number], EventRow>
  readonly #pending: Statement<[string, number], DeliveryRow>
  readonly #known: Statement<[string, number, number], number>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#endpoints = db
      .prepare<[], EndpointRow>(`SELECT ${endpointColumns} FROM webhook_endpoint WHERE status <> 'deleted' ORDER BY id`)
      .raw()
    this.#secrets = db.prepare<[string], string>('SELECT secrets FROM webhook_secret WHERE endpoint_id = ?').pluck()
    this.#events = db
      .prepare<[number, number], EventRow>(`SELECT ${eventColumns} FROM event WHERE seq > ? ORDER BY seq LIMIT ?`)
      .raw()
    this.#event = db.prepare<[number], EventRow>(`SELECT ${eventColumns} FROM event WHERE seq = ?`).raw()
    this.#pending = db
      .prepare<[string, number], DeliveryRow>(
        `SELECT ${deliveryColumns} FROM webhook_delivery
         WHERE endpoint_id = ? AND status = 'pending' ORDER BY event_seq LIMIT ?`,
      )
      .raw()
    this.#known = db
      .prepare<[string, number, number], number>(
        'SELECT event_seq FROM webhook_delivery WHERE endpoint_id = ? AND event_seq BETWEEN ? AND ?',
      )
      .pluck()
  }

  /** Endpoints and secrets of one moment. */
  listEndpoints(): readonly EndpointWithSecrets[] {
    return this.#db.transaction(() =>
      this.#endpoints.all().map((row) => {
        const endpoint = toEndpoint(row)
        return { endpoint, secrets: toSecrets(endpoint.id, this.#secrets.get(endpoint.id) ?? '[]').secrets }
      }),
    )()
  }

  listEvents(afterSeq: number, limit: number): readonly NumberedEvent[] {
    return this.#events.all(afterSeq, limit).map(toNumberedEvent)
  }

  findEvents(seqs: readonly number[]): readonly NumberedEvent[] {
    return seqs.flatMap((seq) => {
      const row = this.#event.get(seq)
      return row === undefined ? [] : [toNumberedEvent(row)]
    })
  }

  listPending(endpointId: string, limit: number): readonly WebhookDelivery[] {
    return this.#pending.all(endpointId, limit).map(toDelivery)
  }

  listKnown(endpointId: string, fromSeq: number, toSeq: number): readonly number[] {
    return this.#known.all(endpointId, fromSeq, toSeq)
  }

  close(): void {
    this.#db.close()
  }
}
