import { ChangedRows } from './changed-rows.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookSecrets } from '@penstock/domain/webhook.ts'
import type { WebhookRows } from '@penstock/domain/working-set.ts'
import type { LoadRow } from './changed-rows.ts'

/** Where a working set gets the rows of webhooks. */
export interface WebhookSource {
  readonly endpoints: LoadRow<WebhookEndpoint>
  readonly secrets: LoadRow<WebhookSecrets>
  readonly deliveries: LoadRow<WebhookDelivery>
  /** Ids of endpoints that are not deleted. */
  readonly endpointIds: () => readonly string[]
}

/** The part of a working set that is made when the first command of a batch asks for it. */
export class WebhookChanges implements WebhookRows {
  readonly endpoints: ChangedRows<WebhookEndpoint>
  readonly secrets: ChangedRows<WebhookSecrets>
  readonly deliveries: ChangedRows<WebhookDelivery>
  readonly #endpointIds: () => readonly string[]

  constructor(source: WebhookSource) {
    this.endpoints = new ChangedRows(source.endpoints)
    this.secrets = new ChangedRows(source.secrets)
    this.deliveries = new ChangedRows(source.deliveries)
    this.#endpointIds = source.endpointIds
  }

  listEndpoints(): readonly WebhookEndpoint[] {
    const ids = [...this.#endpointIds(), ...this.endpoints.inserted.keys()]
    return ids.flatMap((id) => {
      const endpoint = this.endpoints.find(id)
      return endpoint === undefined || endpoint.status === 'deleted' ? [] : [endpoint]
    })
  }

  get isChanged(): boolean {
    return this.endpoints.isChanged || this.secrets.isChanged || this.deliveries.isChanged
  }
}
