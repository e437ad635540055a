import { setTimeout as delay } from 'node:timers/promises'
import { courierTickMs, reportRetryMaxMs, webhookReportIntervalMs } from '@penstock/domain/limits.ts'
import { activeSecrets, webhookId } from '@penstock/domain/webhook.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import { renderEvent, streamOf } from './event-facts.ts'
import { signWebhook } from './sign.ts'
import type { RecordWebhookOutcomes } from '@penstock/domain/command.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { WebhookEndpoint, WebhookSecret } from '@penstock/domain/webhook.ts'
import type { WriterClient } from '@penstock/protocol/writer-client.ts'
import type { Queries } from '@penstock/store/queries.ts'
import type { WebhookQueries } from '@penstock/store/webhook-queries.ts'
import type { Task } from './endpoint-queue.ts'
import type { Sender } from './sender.ts'

export interface CourierDeps {
  readonly queries: Queries
  readonly webhooks: WebhookQueries
  readonly writer: Pick<WriterClient, 'submit'>
  readonly sender: Pick<Sender, 'send'>
  readonly retryDelaysMs: Settings['webhookRetryDelaysMs']
  /** Unix milliseconds. */
  readonly clock: () => number
  /** 0 to 1. */
  readonly random: () => number
  readonly log: (message: string) => void
}

/** One endpoint at work. */
interface Line {
  readonly queue: EndpointQueue
  secrets: readonly WebhookSecret[]
  /** Ends its requests. */
  readonly stop: AbortController
}

/**
 * Sends what happened to those who want to know: one queue an endpoint, so that none waits for another. Looks at the
 * database every `courierTickMs`, which costs the writer nothing, and reports to the writer at most every
 * `webhookReportIntervalMs`, an endpoint's outcomes in one command.
 */
export class Courier {
  readonly #deps: CourierDeps
  readonly #lines = new Map<string, Line>()
  readonly #timers: NodeJS.Timeout[] = []
  #seenSeq = -1
  #lastEventSeq = 0
  #sending = 0
  #reporting = 0
  #draining = false

  constructor(deps: CourierDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#timers.push(
      setInterval(() => this.#tick(), courierTickMs),
      setInterval(() => this.#report(), webhookReportIntervalMs),
    )
    this.#tick()
  }

  /**
   * Sends nothing more, waits for the answers under way and for the writer to keep them, `drainMs` at most. What has no
   * answer by then will be sent again by the next courier.
   */
  async drain(drainMs: number): Promise<void> {
    this.#draining = true
    const endMs = this.#deps.clock() + drainMs
    while (this.#sending > 0 && this.#deps.clock() < endMs) await delay(drainPollMs)
    for (const { stop } of this.#lines.values()) stop.abort()
    while ((this.#report() || this.#reporting > 0) && this.#deps.clock() < endMs + reportGraceMs)
      await delay(drainPollMs)
    for (const timer of this.#timers) clearInterval(timer)
  }

  #tick(): void {
    if (this.#draining) return
    const seq = this.#deps.queries.readSeq()
    if (seq !== this.#seenSeq) {
      this.#seenSeq = seq
      this.#readEndpoints()
    }
    for (const line of this.#lines.values()) this.#pump(line)
  }

  #readEndpoints(): void {
    const all = this.#deps.webhooks.listEndpoints()
    const ids = new Set(all.map(({ endpoint }) => endpoint.id))
    for (const [id, { stop }] of this.#lines) {
      if (ids.has(id)) continue
      stop.abort()
      this.#lines.delete(id)
    }
    for (const { endpoint, secrets } of all) this.#readEndpoint(endpoint, secrets)
    // After the endpoints: an event that one of them waits for is among these.
    if (all.length > 0) this.#lastEventSeq = this.#deps.queries.lastEventSeq()
  }

  #readEndpoint(endpoint: WebhookEndpoint, secrets: readonly WebhookSecret[]): void {
    const line = this.#lines.get(endpoint.id)
    if (line !== undefined) {
      line.secrets = secrets
      line.queue.update(endpoint)
    } else if (endpoint.status === 'enabled') {
      const { queries, webhooks, retryDelaysMs, random } = this.#deps
      const queue = new EndpointQueue(endpoint, {
        queries: webhooks,
        streamOf: (event) => streamOf(event, queries),
        retryDelaysMs,
        random,
      })
      this.#lines.set(endpoint.id, { queue, secrets, stop: new AbortController() })
    }
  }

  #pump(line: Line): void {
    if (this.#draining || line.stop.signal.aborted) return
    line.queue.refill(this.#lastEventSeq)
    for (const task of line.queue.take(this.#deps.clock())) {
      this.#sending += 1
      // What is thrown here is a bug: the process ends, and another one starts from what is committed.
      void this.#attempt(line, task).finally(() => {
        this.#sending -= 1
        this.#pump(line)
      })
    }
  }

  async #attempt({ queue, secrets, stop }: Line, task: Task): Promise<void> {
    const { clock, queries, sender } = this.#deps
    const startedMs = clock()
    const { id: endpointId, url } = queue.endpoint
    const body = renderEvent(task.event, queries, startedMs)
    const id = webhookId(endpointId, task.event.seq)
    const timestamp = Math.floor(startedMs / 1_000)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Penstock-Webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signWebhook(activeSecrets({ secrets }, startedMs), id, timestamp, body),
    }
    const answer = await sender.send(url, headers, body, stop.signal)
    if (stop.signal.aborted && answer.status === null) queue.abandoned(task)
    else queue.finished(task, answer, startedMs, clock())
  }

  /** Whether there was anything to report. */
  #report(): boolean {
    let isAny = false
    for (const { queue } of this.#lines.values()) {
      const report = queue.nextReport()
      if (report === null) continue
      isAny = true
      this.#submit(queue, report)
    }
    return isAny
  }

  /**
   * Until the writer has it: a report is harmless to repeat. One that the writer refuses is a bug, which must neither
   * flood it nor stop the other endpoints.
   */
  #submit(queue: EndpointQueue, report: RecordWebhookOutcomes, refusals = 0): void {
    const { writer, log } = this.#deps
    const again = (waitMs: number, refused: number): void => {
      if (this.#timers.length > 0) setTimeout(() => this.#submit(queue, report, refused), waitMs)
    }
    this.#reporting += 1
    const taken = writer.submit(report, (reply) => {
      this.#reporting -= 1
      if (reply === null) return again(webhookReportIntervalMs, refusals)
      const { outcome } = reply.result
      if (outcome === 'webhook_outcomes_saved') return queue.reported(report)
      const waitMs = Math.min(reportRetryMaxMs, webhookReportIntervalMs * 2 ** Math.min(refusals, 20))
      log(`the writer answered a report about ${queue.endpoint.id} with ${outcome}; again in ${waitMs} ms`)
      again(waitMs, refusals + 1)
    })
    if (!taken) throw new Error('the courier has more reports under way than endpoints')
  }
}

const drainPollMs = 5
/** For the last reports, beyond the drain. */
const reportGraceMs = 500
