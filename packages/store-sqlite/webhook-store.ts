import { BulkInsert } from './bulk-insert.ts'
import {
  deliveryColumns,
  deliveryValues,
  encodeSecrets,
  endpointColumns,
  endpointValues,
  toDelivery,
  toEndpoint,
  toSecrets,
} from './webhook-rows.ts'
import type { WebhookChanges, WebhookSource } from '@penstock/store/webhook-changes.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { DeliveryRow, EndpointRow } from './webhook-rows.ts'

/** The writer's reads for webhooks. */
export function loadWebhooks(db: Connection): WebhookSource {
  const endpoint = db
    .prepare<[string], EndpointRow>(`SELECT ${endpointColumns} FROM webhook_endpoint WHERE id = ?`)
    .raw()
  const endpointIds = db.prepare<[], string>("SELECT id FROM webhook_endpoint WHERE status <> 'deleted'").pluck()
  const secrets = db.prepare<[string], string>('SELECT secrets FROM webhook_secret WHERE endpoint_id = ?').pluck()
  const delivery = db
    .prepare<[string, number], DeliveryRow>(
      `SELECT ${deliveryColumns} FROM webhook_delivery WHERE endpoint_id = ? AND event_seq = ?`,
    )
    .raw()
  return {
    endpoints: (id) => {
      const row = endpoint.get(id)
      return row && toEndpoint(row)
    },
    secrets: (id) => {
      const row = secrets.get(id)
      return row === undefined ? undefined : toSecrets(id, row)
    },
    deliveries: (key) => {
      const [endpointId = '', eventSeq] = key.split('/')
      const row = delivery.get(endpointId, Number(eventSeq))
      return row && toDelivery(row)
    },
    endpointIds: () => endpointIds.all(),
  }
}

/** The number of the last event that was saved; 0 when there is none. */
export function loadLastEventSeq(db: Connection): () => number {
  const last = db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM event').pluck()
  return () => last.get() ?? 0
}

/** Writes what a batch changed of webhooks, inside its transaction. */
export class WebhookSaver {
  readonly #db: Connection
  readonly #upsertEndpoint: BulkInsert
  readonly #upsertSecrets: BulkInsert
  readonly #upsertDelivery: BulkInsert

  constructor(db: Connection) {
    this.#db = db
    this.#upsertEndpoint = new BulkInsert(db, 'webhook_endpoint', endpointColumns, overwrite('id', endpointColumns))
    const secretColumns = 'endpoint_id, secrets'
    this.#upsertSecrets = new BulkInsert(db, 'webhook_secret', secretColumns, overwrite('endpoint_id', secretColumns))
    this.#upsertDelivery = new BulkInsert(
      db,
      'webhook_delivery',
      deliveryColumns,
      overwrite('endpoint_id, event_seq', deliveryColumns),
    )
  }

  save({ endpoints, secrets, deliveries }: WebhookChanges): void {
    this.#upsertEndpoint.run([...endpoints.inserted.values(), ...endpoints.updated.values()].map(endpointValues))
    this.#upsertDelivery.run([...deliveries.inserted.values(), ...deliveries.updated.values()].map(deliveryValues))
    if (!secrets.isChanged) return
    // Zeroes what a row frees: a secret that ended is nowhere.
    this.#db.pragma('secure_delete = ON')
    const changed = [...secrets.inserted.values(), ...secrets.updated.values()]
    this.#upsertSecrets.run(changed.map((row) => [row.endpointId, encodeSecrets(row)]))
    this.#db.pragma('secure_delete = OFF')
  }
}

/** Every other column becomes that of the new row. */
function overwrite(key: string, columns: string): string {
  const keys = key.split(', ')
  const others = columns.split(', ').filter((column) => !keys.includes(column))
  return `ON CONFLICT (${key}) DO UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`
}
