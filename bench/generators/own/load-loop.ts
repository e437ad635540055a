import { newHistogram, packHistogram, recordMs } from '../latency.ts'
import { readId } from './answer.ts'
import { Connection } from './connection.ts'
import { RequestSource } from './request-source.ts'
import { makeSchedule } from './schedule.ts'
import type { StepOrder } from './request-source.ts'
import type { Schedule } from './schedule.ts'

/** What one worker does. */
export interface WorkerOrder {
  readonly host: string
  readonly port: number
  readonly steps: readonly StepOrder[]
  readonly order: readonly number[]
  readonly connections: number
  readonly durationMs: number
  /** Of all workers together; null: a closed loop. */
  readonly perSecond: number | null
  readonly worker: number
  readonly workers: number
}

/** What one worker saw. Histograms are packed. */
export interface WorkerTally {
  /** Unix milliseconds with fractions. */
  readonly startedMs: number
  readonly endedMs: number
  /** Expected answers, by the place of the step. */
  readonly ok: readonly number[]
  /** Expected answers that came before the duration was over. */
  readonly inTime: number
  readonly refused: number
  readonly errors: number
  readonly failedConnects: number
  readonly ranOut: boolean
  readonly latency: string
  readonly planned: number
  readonly unsent: number
  readonly late: string
  readonly loopBusy: number
}

/** How often the schedule is looked at when no answer comes in. */
const lookMs = 1
/** How long answers are waited for when the time is over; then what is still under way counts as an error. */
const drainMsMax = 10_000
/** Connections that a server may close on us before it is left alone, for each that was asked for. */
const reconnectsMax = 3

/**
 * The requests of one process. Open loop: each goes out at its intended time, or when a connection is free again, and
 * its latency counts from the intended time either way, so a server that stalls is charged with everybody who waited.
 * Closed loop: each connection sends again when it was answered. Stops by itself: after the duration, and at most
 * `drainMsMax` later.
 */
export class LoadLoop {
  readonly #order: WorkerOrder
  readonly #source: RequestSource
  readonly #schedule: Schedule | null
  readonly #open = new Set<Connection>()
  /** Free connections, used in turn as a ring: many clients, not one. */
  readonly #free: Connection[] = []
  readonly #latency = newHistogram()
  readonly #late = newHistogram()
  readonly #ok: number[]
  readonly #onDone: (tally: WorkerTally) => void
  #inTime = 0
  #refused = 0
  #errors = 0
  #failedConnects = 0
  #ranOut = false
  /** The next request of the schedule. */
  #next = 0
  #startMs = Number.NaN
  #lastAnswerMs = 0
  /** When the first connection became free after there was none. */
  #freeSinceMs = 0
  #state: 'connecting' | 'sending' | 'draining' | 'done' = 'connecting'
  #reconnects = 0
  #busyAtStart = performance.eventLoopUtilization()
  #timer: NodeJS.Timeout | undefined

  constructor(order: WorkerOrder, onDone: (tally: WorkerTally) => void) {
    this.#order = order
    this.#onDone = onDone
    this.#source = new RequestSource(order.steps)
    this.#ok = order.steps.map(() => 0)
    const { perSecond, durationMs, worker, workers } = order
    this.#schedule = perSecond === null ? null : makeSchedule(perSecond, durationMs, worker, workers)
  }

  /** Resolves when every connection is open. Rejects when one cannot be opened. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      for (let place = 0; place < this.#order.connections; place++) {
        this.#connect(
          place,
          () => {
            if (this.#open.size === this.#order.connections) resolve()
          },
          reject,
        )
      }
    })
  }

  start(): void {
    this.#state = 'sending'
    this.#startMs = performance.now()
    this.#busyAtStart = performance.eventLoopUtilization()
    this.#drainAt(this.#order.durationMs)
    if (this.#schedule === null) this.#sendFree()
    else this.#timer = setInterval(() => this.#sendDue(), lookMs)
  }

  /** Timers may be early by a part of a millisecond, which is many requests. */
  #drainAt(ms: number): void {
    const leftMs = ms - this.#nowMs()
    if (leftMs > 0) {
      setTimeout(() => this.#drainAt(ms), Math.ceil(leftMs))
      return
    }
    // Those that became due since the last look.
    this.#sendDue()
    this.#drain()
  }

  #connect(place: number, onOpen: () => void, onFailed: (error: Error) => void): void {
    const { host, port } = this.#order
    const connection: Connection = new Connection(host, port, place, {
      onOpen: () => {
        this.#open.add(connection)
        this.#setFree(connection)
        onOpen()
      },
      onAnswer: (answered, status, bytes) => this.#onAnswer(answered, status, bytes),
      onClosed: (closed, error) => {
        if (this.#open.delete(closed)) this.#onClosed(closed)
        else onFailed(error ?? new Error('a connection was closed before it was open'))
      },
    })
  }

  #nowMs(): number {
    return performance.now() - this.#startMs
  }

  #setFree(connection: Connection): void {
    if (this.#state === 'sending' && this.#free.length === 0) this.#freeSinceMs = this.#nowMs()
    this.#free.push(connection)
  }

  /** Open loop: whatever is due, as far as there are free connections. */
  #sendDue(): void {
    const schedule = this.#schedule
    if (schedule === null || this.#state !== 'sending' || this.#free.length === 0) return
    const { order } = this.#order
    const nowMs = this.#nowMs()
    let taken = 0
    let ranOut = false
    while (this.#next < schedule.count && taken < this.#free.length) {
      const intendedMs = schedule.intendedMs(this.#next)
      if (intendedMs > nowMs) break
      const step = order[this.#next % order.length] ?? 0
      const request = this.#source.next(step)
      if (request === null) {
        ranOut = this.#source.isFinite(step)
        break
      }
      this.#free[taken++]?.send(request, step, intendedMs)
      recordMs(this.#late, nowMs - Math.max(intendedMs, this.#freeSinceMs))
      this.#next += 1
    }
    if (taken > 0) this.#free.splice(0, taken)
    if (ranOut) this.#runOut()
  }

  /** Closed loop: whatever is free, also connections that found no token before. */
  #sendFree(): void {
    for (const connection of this.#free.splice(0)) if (this.#state === 'sending') this.#sendNext(connection)
  }

  /** Closed loop: the next request of this connection that there is a token for; none: it waits for another answer. */
  #sendNext(connection: Connection): void {
    const { order } = this.#order
    for (let tries = 0; tries < order.length; tries++) {
      const step = order[connection.place++ % order.length] ?? 0
      const request = this.#source.next(step)
      if (request !== null) return connection.send(request, step, this.#nowMs())
      if (this.#source.isFinite(step)) return this.#runOut()
    }
    this.#setFree(connection)
  }

  #onAnswer(connection: Connection, status: number, bytes: Buffer): void {
    const nowMs = this.#nowMs()
    const step = this.#order.steps[connection.step]
    recordMs(this.#latency, nowMs - connection.intendedMs)
    connection.intendedMs = Number.NaN
    this.#lastAnswerMs = nowMs
    if (step !== undefined && (step.expects === '2xx' ? status >= 200 && status < 300 : status === step.expects)) {
      this.#ok[connection.step] = (this.#ok[connection.step] ?? 0) + 1
      if (nowMs <= this.#order.durationMs) this.#inTime += 1
      const id = step.keepsId ? readId(bytes.toString('latin1', bytes.indexOf('\r\n\r\n'))) : null
      if (id !== null) this.#source.keepId(id)
    } else {
      this.#refused += 1
    }
    if (this.#state !== 'sending') return this.#finishIfAnswered()
    this.#setFree(connection)
    if (this.#schedule === null) this.#sendFree()
    else this.#sendDue()
  }

  /** Nobody knows what became of the request under way. Another connection takes its place, a bounded number of times. */
  #onClosed(connection: Connection): void {
    if (connection.isBusy) {
      this.#errors += 1
      if (this.#state !== 'done') recordMs(this.#latency, this.#nowMs() - connection.intendedMs)
    }
    const at = this.#free.indexOf(connection)
    if (at >= 0) this.#free.splice(at, 1)
    if (this.#state !== 'sending') return this.#finishIfAnswered()
    this.#reconnects += 1
    if (this.#reconnects > reconnectsMax * this.#order.connections) return
    this.#connect(
      connection.place,
      () => {
        if (this.#schedule === null && this.#state === 'sending') this.#sendFree()
      },
      () => (this.#failedConnects += 1),
    )
  }

  #runOut(): void {
    this.#ranOut = true
    this.#drain()
  }

  /** Nothing is sent any more, and what is under way is waited for. */
  #drain(): void {
    if (this.#state !== 'sending') return
    this.#state = 'draining'
    clearInterval(this.#timer)
    setTimeout(() => this.#finish(), drainMsMax).unref()
    this.#finishIfAnswered()
  }

  #finishIfAnswered(): void {
    if (this.#state !== 'draining') return
    for (const connection of this.#open) if (connection.isBusy) return
    this.#finish()
  }

  #finish(): void {
    if (this.#state === 'done') return
    const nowMs = this.#nowMs()
    const unsent = this.#countUnsent(Math.min(nowMs, this.#order.durationMs))
    for (const connection of this.#open) {
      if (!connection.isBusy) continue
      this.#errors += 1
      recordMs(this.#latency, nowMs - connection.intendedMs)
      connection.intendedMs = Number.NaN
    }
    this.#state = 'done'
    const origin = performance.timeOrigin + this.#startMs
    for (const connection of this.#open) connection.close()
    this.#onDone({
      startedMs: origin,
      endedMs: origin + this.#lastAnswerMs,
      ok: this.#ok,
      inTime: this.#inTime,
      refused: this.#refused,
      errors: this.#errors,
      failedConnects: this.#failedConnects,
      ranOut: this.#ranOut,
      latency: packHistogram(this.#latency),
      planned: this.#schedule?.count ?? 0,
      unsent,
      late: packHistogram(this.#late),
      loopBusy: performance.eventLoopUtilization(this.#busyAtStart).utilization,
    })
  }

  /** Those whose time came, with a token, and that no connection could take. They waited until `endMs` at least. */
  #countUnsent(endMs: number): number {
    const schedule = this.#schedule
    if (schedule === null || this.#ranOut) return 0
    let unsent = 0
    for (let place = this.#next; place < schedule.count && schedule.intendedMs(place) <= endMs; place++) {
      unsent += 1
      recordMs(this.#latency, endMs - schedule.intendedMs(place))
    }
    return unsent
  }
}
