import {
  webhookConcurrencyMax,
  webhookCursorLag,
  webhookDownAfterFailures,
  webhookEventsPerRead,
  webhookJitterPercent,
  webhookOutcomesPerCommand,
  webhookRecoveryIntervalMs,
  webhookWindowMax,
} from '@penstock/domain/limits.ts'
import { wantsEvent } from '@penstock/domain/webhook.ts'
import type { RecordWebhookOutcomes } from '@penstock/domain/command.ts'
import type { WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookOutcome } from '@penstock/domain/webhook.ts'
import type { NumberedEvent } from '@penstock/store/scanner.ts'
import type { WebhookQueries } from '@penstock/store/webhook-queries.ts'
import type { Answer } from './sender.ts'

/** A replay takes this share of the window at most, so that what happens now is not kept waiting by the past. */
const replayWindow = webhookWindowMax / 4
const liveWindow = webhookWindowMax - replayWindow

export interface QueueDeps {
  readonly queries: Pick<WebhookQueries, 'listEvents' | 'findEvents' | 'listPending' | 'listKnown'>
  /** What the event must stay in order with. */
  readonly streamOf: (event: NumberedEvent) => string
  readonly retryDelaysMs: readonly number[]
  /** 0 to 1, for jitter. */
  readonly random: () => number
}

/** One event on its way to the endpoint. */
export interface Task {
  readonly event: NumberedEvent
  readonly stream: string
  /** `row`: the database has a delivery that says how far it is; otherwise only the event is there. */
  source: 'live' | 'replay' | 'row'
  mode: 'waiting' | 'sending' | 'reporting'
  failures: number
  firstAttemptMs: number | null
  dueMs: number
  /** Tried before its time, because the receiver is back; `dueMs` it had. A failure then costs nothing. */
  earlyFromMs: number | null
}

/**
 * What one endpoint is still to be sent, and in which order. No I/O but reads: the courier sends what `take` gives, says
 * how it went (`finished`), and has the writer keep what `nextReport` gives (`reported`).
 *
 * - Events of one stream go one at a time: the next when the outcome of the one before is committed. So a courier that
 *   dies may send an event twice, but never a later one before an earlier one.
 * - At most `webhookWindowMax` events are in memory. The others are in the database: behind the cursor as events, before it
 *   as pending deliveries.
 */
export class EndpointQueue {
  readonly #deps: QueueDeps
  #endpoint: WebhookEndpoint
  /** By the number of the event, in the order in which they came. */
  readonly #tasks = new Map<number, Task>()
  /** Tasks of a stream, the first may be sent. */
  readonly #streams = new Map<string, Task[]>()
  readonly #outcomes: WebhookOutcome[] = []
  /** Outcomes of the report under way. */
  #reporting: readonly WebhookOutcome[] | null = null
  #sending = 0
  /** Events up to here were looked at. */
  #scannedSeq: number
  #savedCursorSeq: number
  #replay: { scannedSeq: number; readonly toSeq: number } | null = null
  #consecutiveFailures = 0
  #failingSinceMs: number | null
  #savedFailingSinceMs: number | null
  #pausedUntilMs = 0
  #recoveredMs = 0
  #disable: RecordWebhookOutcomes['disable'] = null
  /** The database may have pending deliveries that are not here: a seller can ask for more retries than fit. */
  #hasMorePending = false

  constructor(endpoint: WebhookEndpoint, deps: QueueDeps) {
    this.#deps = deps
    this.#endpoint = endpoint
    this.#scannedSeq = endpoint.cursorSeq
    this.#savedCursorSeq = endpoint.cursorSeq
    this.#failingSinceMs = endpoint.failingSinceMs
    this.#savedFailingSinceMs = endpoint.failingSinceMs
    this.#loadPending()
    this.#startReplay()
  }

  get endpoint(): WebhookEndpoint {
    return this.#endpoint
  }

  /** Deliveries in memory. */
  get size(): number {
    return this.#tasks.size
  }

  /** The endpoint as it is now. What the seller did to its deliveries is seen when its revision says so. */
  update(endpoint: WebhookEndpoint): void {
    const isRevised = endpoint.revision !== this.#endpoint.revision
    const wasEnabled = this.#endpoint.status === 'enabled'
    this.#endpoint = endpoint
    if (!isRevised) return
    if (!wasEnabled && endpoint.status === 'enabled') this.#restart()
    this.#loadPending()
    this.#startReplay()
  }

  /** Takes events in until the window is full or there are none. `lastSeq`: the last event there is. */
  refill(lastSeq: number): void {
    if (this.#endpoint.status !== 'enabled' || this.#disable !== null) return
    if (this.#hasMorePending && this.#tasks.size < replayWindow) this.#loadPending()
    while (this.#tasks.size < liveWindow && this.#scannedSeq < lastSeq) {
      const events = this.#deps.queries.listEvents(this.#scannedSeq, webhookEventsPerRead)
      const last = events.at(-1)
      if (last === undefined) break
      const known = new Set(this.#deps.queries.listKnown(this.#endpoint.id, this.#scannedSeq + 1, last.seq))
      this.#takeIn('live', events, liveWindow, (seq) => known.has(seq))
    }
    while (this.#replay !== null && this.#countReplayed() < replayWindow) {
      const endSeq = Math.min(this.#replay.toSeq, this.#scannedSeq)
      const events = this.#deps.queries
        .listEvents(this.#replay.scannedSeq, webhookEventsPerRead)
        .filter(({ seq }) => seq <= endSeq)
      if (events.length === 0) break
      this.#takeIn('replay', events, webhookWindowMax, () => false)
    }
  }

  /** What is to be sent now. Each must be `finished`. */
  take(nowMs: number): Task[] {
    const taken: Task[] = []
    if (this.#endpoint.status !== 'enabled' || this.#disable !== null || nowMs < this.#pausedUntilMs) return taken
    for (const task of this.#tasks.values()) {
      if (this.#sending >= webhookConcurrencyMax) break
      if (task.mode !== 'waiting' || task.dueMs > nowMs || this.#streams.get(task.stream)?.[0] !== task) continue
      task.mode = 'sending'
      this.#sending += 1
      taken.push(task)
    }
    return taken
  }

  /** How a request went. `attempt` began at `startedMs`. */
  finished(task: Task, { status, fault, retryAfterMs }: Answer, startedMs: number, nowMs: number): void {
    this.#sending -= 1
    task.mode = 'reporting'
    task.firstAttemptMs ??= startedMs
    const attempt: WebhookAttempt = { startedMs, durationMs: Math.max(0, nowMs - startedMs), status, fault }
    if (fault === null) this.#succeeded(task, attempt, nowMs)
    else this.#failed(task, attempt, retryAfterMs, nowMs)
  }

  /** A request that was broken off by this side: as if it had not been made. */
  abandoned(task: Task): void {
    this.#sending -= 1
    task.mode = 'waiting'
  }

  /** What the writer is to keep, or null when there is nothing new. One at a time, until `reported`. */
  nextReport(): RecordWebhookOutcomes | null {
    if (this.#reporting !== null) return null
    const outcomes = this.#outcomes.slice(0, webhookOutcomesPerCommand)
    const noted = new Set(outcomes.map(({ eventSeq }) => eventSeq))
    const cursorSeq = this.#cursorAfter(noted)
    const replay = this.#replayAfter(noted)
    const isNews =
      outcomes.length > 0 ||
      this.#disable !== null ||
      cursorSeq - this.#savedCursorSeq >= webhookCursorLag ||
      (replay !== null && replay.nextSeq > replay.toSeq) ||
      this.#failingSinceMs !== this.#savedFailingSinceMs
    if (!isNews) return null
    this.#reporting = outcomes
    const facts = { cursorSeq, replay, failingSinceMs: this.#failingSinceMs, disable: this.#disable }
    return { kind: 'record_webhook_outcomes', key: null, endpointId: this.#endpoint.id, ...facts, outcomes }
  }

  /** The report is committed: what it tells need not be done again. */
  reported(report: RecordWebhookOutcomes): void {
    const outcomes = this.#reporting ?? []
    this.#reporting = null
    this.#outcomes.splice(0, outcomes.length)
    this.#savedCursorSeq = report.cursorSeq
    this.#savedFailingSinceMs = report.failingSinceMs
    if (report.replay !== null && report.replay.nextSeq > report.replay.toSeq) this.#replay = null
    if (report.disable !== null) {
      this.#disable = null
      // Until the database says so, too.
      this.#endpoint = { ...this.#endpoint, status: 'disabled', disabledReason: report.disable }
    }
    for (const { eventSeq, status, attempt } of outcomes) {
      const task = this.#tasks.get(eventSeq)
      if (task === undefined) continue
      task.source = 'row'
      if (attempt === null) continue
      if (status === 'pending') task.mode = 'waiting'
      else this.#remove(task)
      this.#parkBehind(task.stream)
    }
  }

  #succeeded(task: Task, attempt: WebhookAttempt, nowMs: number): void {
    const wasDown = this.#consecutiveFailures >= webhookDownAfterFailures
    this.#consecutiveFailures = 0
    this.#failingSinceMs = null
    this.#note(task, 'succeeded', null, attempt)
    if (wasDown && nowMs - this.#recoveredMs >= webhookRecoveryIntervalMs) this.#recover(nowMs)
  }

  #failed(task: Task, attempt: WebhookAttempt, retryAfterMs: number | null, nowMs: number): void {
    this.#consecutiveFailures += 1
    this.#failingSinceMs ??= attempt.startedMs
    if (retryAfterMs !== null) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + retryAfterMs)
    if (attempt.status === 410) {
      this.#disable = 'gone'
      return this.#note(task, 'failed', null, attempt)
    }
    if (task.earlyFromMs !== null) {
      task.dueMs = task.earlyFromMs
      task.earlyFromMs = null
      return this.#note(task, 'pending', task.dueMs, attempt)
    }
    const delayMs = this.#deps.retryDelaysMs[task.failures]
    task.failures += 1
    if (delayMs !== undefined) {
      const jitteredMs = Math.ceil(delayMs * (1 + (webhookJitterPercent / 100) * this.#deps.random()))
      task.dueMs = nowMs + Math.max(jitteredMs, retryAfterMs ?? 0)
      return this.#note(task, 'pending', task.dueMs, attempt)
    }
    // Given up. When nothing else got through for all this time either, nobody is there.
    if (task.firstAttemptMs !== null && this.#failingSinceMs <= task.firstAttemptMs) this.#disable = 'failing'
    this.#note(task, 'failed', null, attempt)
  }

  /** The receiver is back: what waits for its time is tried at once, without counting it when it fails. */
  #recover(nowMs: number): void {
    this.#recoveredMs = nowMs
    for (const task of this.#tasks.values()) {
      if (task.mode !== 'waiting' || task.dueMs <= nowMs || task.earlyFromMs !== null) continue
      task.earlyFromMs = task.dueMs
      task.dueMs = nowMs
    }
  }

  #note(task: Task, status: WebhookOutcome['status'], nextAttemptMs: number | null, attempt: WebhookAttempt): void {
    this.#outcomes.push({ eventSeq: task.event.seq, status, failures: task.failures, nextAttemptMs, attempt })
  }

  /** Events behind one that is to be tried again: the database learns of them, so that the cursor can go on. */
  #parkBehind(stream: string): void {
    const [head, ...behind] = this.#streams.get(stream) ?? []
    if (head === undefined || head.source !== 'row' || head.failures === 0) return
    const noted = new Set(this.#outcomes.map(({ eventSeq }) => eventSeq))
    for (const { event, source } of behind) {
      if (source === 'row' || noted.has(event.seq)) continue
      this.#outcomes.push({ eventSeq: event.seq, status: 'pending', failures: 0, nextAttemptMs: null, attempt: null })
    }
  }

  /** Adds `events` that are wanted until `max` tasks are there, and notes how far that came. */
  #takeIn(
    source: 'live' | 'replay',
    events: readonly NumberedEvent[],
    max: number,
    isDone: (seq: number) => boolean,
  ): void {
    for (const event of events) {
      const isWanted = wantsEvent(this.#endpoint, event.event.type) && !this.#tasks.has(event.seq) && !isDone(event.seq)
      if (isWanted) {
        if (this.#tasks.size >= max || (source === 'replay' && this.#countReplayed() >= replayWindow)) return
        this.#add({ event, source, failures: 0, firstAttemptMs: null, dueMs: 0 })
      }
      if (source === 'live') this.#scannedSeq = event.seq
      else if (this.#replay !== null) this.#replay.scannedSeq = event.seq
    }
  }

  #add(facts: Pick<Task, 'event' | 'source' | 'failures' | 'firstAttemptMs' | 'dueMs'>): void {
    const stream = this.#deps.streamOf(facts.event)
    const task: Task = { ...facts, stream, mode: 'waiting', earlyFromMs: null }
    this.#tasks.set(facts.event.seq, task)
    const line = this.#streams.get(stream)
    if (line === undefined) this.#streams.set(stream, [task])
    else line.push(task)
    this.#parkBehind(stream)
  }

  #remove(task: Task): void {
    this.#tasks.delete(task.event.seq)
    const line = (this.#streams.get(task.stream) ?? []).filter((other) => other !== task)
    if (line.length === 0) this.#streams.delete(task.stream)
    else this.#streams.set(task.stream, line)
  }

  /** Pending deliveries of the database that are not here yet, or that the seller wants sooner. */
  #loadPending(): void {
    const rows = this.#deps.queries.listPending(this.#endpoint.id, webhookWindowMax)
    this.#hasMorePending = rows.length === webhookWindowMax
    const events = new Map(
      this.#deps.queries.findEvents(rows.map(({ eventSeq }) => eventSeq)).map((one) => [one.seq, one]),
    )
    for (const row of rows) {
      const event = events.get(row.eventSeq)
      const task = this.#tasks.get(row.eventSeq)
      if (task !== undefined) hasten(task, row)
      else if (event !== undefined) {
        const { failures } = row
        this.#add({ event, source: 'row', failures, firstAttemptMs: firstAttempt(row), dueMs: row.nextAttemptMs ?? 0 })
      }
    }
  }

  #startReplay(): void {
    const { replay } = this.#endpoint
    if (replay === null || this.#replay?.toSeq === replay.toSeq) return
    this.#replay = { scannedSeq: replay.nextSeq - 1, toSeq: replay.toSeq }
  }

  /** Enabled again: the receiver gets the benefit of the doubt. */
  #restart(): void {
    this.#consecutiveFailures = 0
    this.#pausedUntilMs = 0
    this.#failingSinceMs = null
    this.#savedFailingSinceMs = this.#endpoint.failingSinceMs
  }

  #countReplayed(): number {
    let count = 0
    for (const { source } of this.#tasks.values()) if (source === 'replay') count += 1
    return count
  }

  /** The cursor once the outcomes of `noted` are in the database. */
  #cursorAfter(noted: ReadonlySet<number>): number {
    return this.#firstOpen('live', noted, this.#scannedSeq + 1) - 1
  }

  #replayAfter(noted: ReadonlySet<number>): RecordWebhookOutcomes['replay'] {
    if (this.#replay === null) return null
    const { scannedSeq, toSeq } = this.#replay
    return { nextSeq: this.#firstOpen('replay', noted, scannedSeq + 1), toSeq }
  }

  #firstOpen(wanted: Task['source'], noted: ReadonlySet<number>, otherwise: number): number {
    let first = otherwise
    for (const [seq, { source }] of this.#tasks) if (source === wanted && seq < first && !noted.has(seq)) first = seq
    return first
  }
}

/** The seller asked for a retry of what is here already. */
function hasten(task: Task, { nextAttemptMs, failures }: WebhookDelivery): void {
  if (task.mode !== 'waiting' || task.source !== 'row' || nextAttemptMs === null || nextAttemptMs >= task.dueMs) return
  task.dueMs = nextAttemptMs
  task.failures = failures
  task.earlyFromMs = null
}

/** When the schedule of a delivery began, as far as its row tells. */
function firstAttempt({ attempts, failures }: WebhookDelivery): number | null {
  if (failures === 0) return null
  return (attempts.at(-failures) ?? attempts[0])?.startedMs ?? null
}
