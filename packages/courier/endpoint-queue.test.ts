import { expect, it } from 'vitest'
import {
  webhookConcurrencyMax,
  webhookDownAfterFailures,
  webhookOutcomesPerCommand,
  webhookWindowMax,
} from '@penstock/domain/limits.ts'
import { eventId } from '@penstock/domain/outbox-event.ts'
import { EndpointQueue } from './endpoint-queue.ts'
import type { RecordWebhookOutcomes } from '@penstock/domain/command.ts'
import type { WebhookDelivery, WebhookEndpoint } from '@penstock/domain/webhook.ts'
import type { NumberedEvent } from '@penstock/store/scanner.ts'
import type { Task } from './endpoint-queue.ts'
import type { Answer } from './sender.ts'

const startMs = 1_700_000_000_000
const ok: Answer = { status: 200, fault: null, retryAfterMs: null }
const failure: Answer = { status: 500, fault: 'status', retryAfterMs: null }

/** A database of events and deliveries, and one endpoint that is sent to. Event `n` is in the stream `streams[n - 1]`. */
class Bench {
  nowMs = startMs
  readonly events: NumberedEvent[] = []
  readonly rows = new Map<number, WebhookDelivery>()
  endpoint: WebhookEndpoint = {
    id: 'whe_1',
    url: 'https://example.com/',
    events: ['*'],
    description: null,
    status: 'enabled',
    disabledReason: null,
    secretId: 's1',
    createdMs: startMs,
    cursorSeq: 0,
    replay: null,
    failingSinceMs: null,
    revision: 0,
  }
  queue: EndpointQueue
  readonly sent: number[] = []
  readonly reports: RecordWebhookOutcomes[] = []

  constructor(streams: readonly string[] = []) {
    this.add(...streams)
    this.queue = this.open()
  }

  add(...streams: readonly string[]): void {
    for (const stream of streams) {
      const seq = this.events.length + 1
      this.events.push({
        id: eventId(seq),
        seq,
        event: { type: 'payment.captured', objectId: stream, createdMs: startMs },
      })
    }
  }

  /** A new queue over what is in the database: as after a kill. */
  open(): EndpointQueue {
    const read = {
      listEvents: (afterSeq: number, limit: number) => this.events.slice(afterSeq, afterSeq + limit),
      findEvents: (seqs: readonly number[]) => seqs.flatMap((seq) => this.events[seq - 1] ?? []),
      listPending: (_: string, limit: number) =>
        [...this.rows.values()]
          .filter(({ status }) => status === 'pending')
          .toSorted((a, b) => a.eventSeq - b.eventSeq)
          .slice(0, limit),
      listKnown: (_: string, from: number, to: number) =>
        [...this.rows.keys()].filter((seq) => seq >= from && seq <= to),
    }
    this.queue = new EndpointQueue(this.endpoint, {
      queries: read,
      streamOf: ({ event }) => event.objectId,
      retryDelaysMs: [5_000, 300_000],
      random: () => 0,
    })
    return this.queue
  }

  take(): Task[] {
    this.queue.refill(this.events.length)
    const tasks = this.queue.take(this.nowMs)
    this.sent.push(...tasks.map(({ event }) => event.seq))
    return tasks
  }

  /** Sends what is due, and has it answered. */
  send(answer: (seq: number) => Answer = () => ok): number[] {
    const tasks = this.take()
    for (const task of tasks) this.queue.finished(task, answer(task.event.seq), this.nowMs, this.nowMs + 10)
    return tasks.map(({ event }) => event.seq)
  }

  /** The writer keeps what is reported, as `recordWebhookOutcomes` of the engine does. */
  commit(): RecordWebhookOutcomes | null {
    const report = this.queue.nextReport()
    if (report === null) return null
    this.reports.push(report)
    for (const { eventSeq, status, failures, nextAttemptMs, attempt } of report.outcomes) {
      const known = this.rows.get(eventSeq)
      const attempts = [...(known?.attempts ?? []), ...(attempt === null ? [] : [attempt])]
      const facts = { endpointId: 'whe_1', eventSeq, status, failures, nextAttemptMs, attempts, createdMs: startMs }
      this.rows.set(eventSeq, facts)
    }
    const { cursorSeq, replay, failingSinceMs } = report
    this.endpoint = { ...this.endpoint, cursorSeq, failingSinceMs }
    if (replay !== null) this.endpoint = { ...this.endpoint, replay: replay.nextSeq > replay.toSeq ? null : replay }
    this.queue.reported(report)
    return report
  }

  commitAll(): void {
    while (this.commit() !== null);
  }
}

it('EndpointQueue sends events in order, and the next of a stream when the one before is committed', () => {
  const bench = new Bench(['a', 'b', 'a', 'a'])
  expect(bench.send()).toEqual([1, 2])
  expect(bench.send()).toEqual([])
  bench.commit()
  expect(bench.send()).toEqual([3])
  bench.commit()
  expect(bench.send()).toEqual([4])
  expect(bench.commit()).toMatchObject({ cursorSeq: 4, outcomes: [{ eventSeq: 4, status: 'succeeded' }] })
  expect(bench.queue.size).toBe(0)
})

it('EndpointQueue keeps what waits behind a failed event in the database, and lets others go on', () => {
  const bench = new Bench(['a', 'a', 'b', 'a'])
  expect(bench.send((seq) => (seq === 1 ? failure : ok))).toEqual([1, 3])
  bench.commit()
  expect(bench.commit()).toMatchObject({
    cursorSeq: 4,
    outcomes: [
      { eventSeq: 2, status: 'pending', failures: 0, nextAttemptMs: null, attempt: null },
      { eventSeq: 4, status: 'pending' },
    ],
  })
  bench.add('a', 'c')
  expect(bench.send()).toEqual([6])
  bench.commitAll()
  expect(bench.endpoint.cursorSeq).toBe(6)
  bench.nowMs += 5_010
  expect(bench.send()).toEqual([1])
  for (const next of [2, 4, 5]) {
    bench.commitAll()
    expect(bench.send()).toEqual([next])
  }
})

it.each([0, 1, 2, 3])(
  'EndpointQueue killed after %i reports goes on without a gap or a step back in a stream',
  (reports) => {
    const bench = new Bench(['a', 'b', 'a', 'b', 'a', 'c'])
    const heard: number[] = []
    const hear = (seq: number): Answer => {
      heard.push(seq)
      return seq === 2 && heard.filter((one) => one === 2).length === 1 ? failure : ok
    }
    for (let round = 0; round < reports; round++) {
      bench.send(hear)
      bench.commit()
    }
    bench.send(hear)
    bench.open()
    for (let round = 0; round < 10; round++) {
      bench.send(hear)
      bench.commitAll()
      bench.nowMs += 5_010
    }
    expect(new Set(heard)).toEqual(new Set([1, 2, 3, 4, 5, 6]))
    for (const stream of [
      [1, 3, 5],
      [2, 4],
    ]) {
      const told = heard.filter((seq) => stream.includes(seq))
      // Repeats are next to each other.
      expect(told.toSorted((a, b) => a - b)).toEqual(told)
    }
    expect([...bench.rows.values()].map(({ status }) => status)).toEqual(Array(6).fill('succeeded'))
  },
)

it('EndpointQueue does not send again what got through beside an event that has no outcome yet', () => {
  const bench = new Bench(['slow', 'a', 'a'])
  const [, second] = bench.take()
  if (second === undefined) throw new Error('the second event was not taken')
  bench.queue.finished(second, ok, bench.nowMs, bench.nowMs)
  bench.commit()
  bench.send()
  expect(bench.commit()).toMatchObject({ cursorSeq: 0, outcomes: [{ eventSeq: 3 }] })
  bench.open()
  expect(bench.send()).toEqual([1])
  expect(bench.commit()).toMatchObject({ cursorSeq: 3 })
})

it('EndpointQueue tries again after each wait of the schedule, then gives up and says that nobody is there', () => {
  const bench = new Bench(['a', 'a'])
  for (const [failures, waitMs] of [
    [1, 5_000],
    [2, 300_000],
  ] as const) {
    expect(bench.send(() => failure)).toEqual([1])
    const nextAttemptMs = bench.nowMs + 10 + waitMs
    expect(bench.commit()).toMatchObject({
      failingSinceMs: startMs,
      disable: null,
      outcomes: [{ status: 'pending', failures, nextAttemptMs }],
    })
    bench.commitAll()
    bench.nowMs = nextAttemptMs - 1
    expect(bench.take()).toEqual([])
    bench.nowMs = nextAttemptMs
  }
  expect(bench.send(() => failure)).toEqual([1])
  expect(bench.commit()).toMatchObject({ disable: 'failing', outcomes: [{ status: 'failed', nextAttemptMs: null }] })
  expect(bench.take()).toEqual([])
})

it('EndpointQueue goes on with the next of an order when one was given up and others got through', () => {
  const bench = new Bench(['a', 'a', 'b'])
  bench.send((seq) => (seq === 1 ? failure : ok))
  for (let round = 0; round < 2; round++) {
    bench.commitAll()
    bench.nowMs += 300_010
    bench.send(() => failure)
    bench.add(`other ${round}`)
    bench.send()
  }
  const reports = bench.commit()
  expect(reports).toMatchObject({ disable: null, failingSinceMs: null })
  expect(bench.rows.get(1)).toMatchObject({ status: 'failed', failures: 3 })
  expect(bench.send()).toEqual([2])
})

it('EndpointQueue disables an endpoint that is gone, and sends no more', () => {
  const bench = new Bench(['a', 'b'])
  bench.send((seq) => (seq === 1 ? { ...failure, status: 410 } : ok))
  bench.add('c')
  expect(bench.take()).toEqual([])
  expect(bench.commit()).toMatchObject({ disable: 'gone', outcomes: [{ status: 'failed' }, { status: 'succeeded' }] })
  expect(bench.take()).toEqual([])
  // The seller enables it.
  bench.endpoint = { ...bench.endpoint, revision: 2 }
  bench.queue.update(bench.endpoint)
  expect(bench.send()).toEqual([3])
})

it('EndpointQueue leaves a receiver alone for as long as it asks', () => {
  const bench = new Bench(['a', 'b'])
  bench.send((seq) => (seq === 1 ? { status: 429, fault: 'status', retryAfterMs: 60_000 } : ok))
  bench.commitAll()
  expect(bench.rows.get(1)?.nextAttemptMs).toBe(bench.nowMs + 60_010)
  bench.add('c')
  bench.nowMs += 60_009
  expect(bench.take()).toEqual([])
  bench.nowMs += 1
  expect(bench.send()).toEqual([1, 3])
})

it('EndpointQueue tries what waits at once when a receiver is back, and an early failure costs nothing', () => {
  const streams = Array.from({ length: webhookDownAfterFailures + 2 }, (_, index) => `s${index}`)
  const bench = new Bench(streams)
  bench.send(() => failure)
  bench.commitAll()
  const before = bench.rows.get(2)
  bench.add('new')
  expect(bench.send()).toEqual([streams.length + 1])
  bench.nowMs += 10
  const early = bench.send((seq) => (seq === 2 ? failure : ok))
  expect(early).toEqual(streams.map((_, index) => index + 1))
  bench.commitAll()
  expect(bench.rows.get(2)).toMatchObject({ status: 'pending', failures: 1, nextAttemptMs: before?.nextAttemptMs })
  expect(bench.rows.get(1)).toMatchObject({ status: 'succeeded' })
})

it('EndpointQueue holds a bounded window, sends a bounded number at once and reports a bounded part', () => {
  const bench = new Bench(Array.from({ length: 3 * webhookWindowMax }, (_, index) => `s${index}`))
  expect(bench.take()).toHaveLength(webhookConcurrencyMax)
  expect(bench.queue.size).toBeLessThanOrEqual(webhookWindowMax)
  const slow = new Bench(Array.from({ length: 3 * webhookWindowMax }, (_, index) => `s${index}`))
  for (let round = 0; round < 100; round++) slow.send(() => failure)
  expect(slow.queue.size).toBeLessThanOrEqual(webhookWindowMax)
  expect(slow.commit()?.outcomes).toHaveLength(webhookOutcomesPerCommand)
  expect(slow.queue.nextReport()?.outcomes.length).toBeLessThanOrEqual(webhookOutcomesPerCommand)
})

it('EndpointQueue reports nothing of events nobody wants, until they are many', () => {
  const bench = new Bench()
  bench.endpoint = { ...bench.endpoint, events: ['order.cancelled'] }
  bench.open()
  bench.add(...Array.from({ length: 4_095 }, () => 'a'))
  expect(bench.take()).toEqual([])
  expect(bench.commit()).toBeNull()
  bench.add('a')
  bench.take()
  expect(bench.commit()).toMatchObject({ cursorSeq: 4_096, outcomes: [] })
})

it('EndpointQueue sends a range again, beside what happens now', () => {
  const bench = new Bench(['a', 'b', 'c', 'd'])
  bench.send()
  bench.commitAll()
  bench.endpoint = { ...bench.endpoint, replay: { nextSeq: 2, toSeq: 3 }, revision: 1 }
  bench.queue.update(bench.endpoint)
  bench.add('e')
  expect(bench.send()).toEqual([5, 2, 3])
  expect(bench.commit()).toMatchObject({ cursorSeq: 5, replay: { nextSeq: 4, toSeq: 3 } })
  expect(bench.endpoint.replay).toBeNull()
  expect(bench.send()).toEqual([])
})

it('EndpointQueue killed in a replay goes on with it', () => {
  const bench = new Bench(['a', 'a', 'a'])
  for (let round = 0; round < 3; round++) {
    bench.send()
    bench.commitAll()
  }
  bench.endpoint = { ...bench.endpoint, replay: { nextSeq: 1, toSeq: 3 }, revision: 1 }
  bench.open()
  expect(bench.send()).toEqual([1])
  expect(bench.commit()).toMatchObject({ replay: { nextSeq: 2, toSeq: 3 } })
  bench.open()
  expect(bench.send()).toEqual([2])
})

it('EndpointQueue tries at once what the seller wants tried', () => {
  const bench = new Bench(['a', 'b'])
  bench.send((seq) => (seq === 1 ? failure : ok))
  bench.commitAll()
  for (const seq of [1, 2]) {
    const row = bench.rows.get(seq)
    if (row !== undefined) bench.rows.set(seq, { ...row, status: 'pending', failures: 0, nextAttemptMs: bench.nowMs })
  }
  expect(bench.send()).toEqual([])
  bench.endpoint = { ...bench.endpoint, revision: 1 }
  bench.queue.update(bench.endpoint)
  expect(bench.send()).toEqual([1, 2])
  bench.commitAll()
  expect(bench.rows.get(1)).toMatchObject({ status: 'succeeded', failures: 0 })
})

it('EndpointQueue comes to every retry of more than fit', () => {
  const count = 2 * webhookWindowMax + 7
  const bench = new Bench(Array.from({ length: count }, (_, index) => `s${index}`))
  bench.endpoint = { ...bench.endpoint, cursorSeq: count }
  for (let seq = 1; seq <= count; seq++) {
    const facts = { status: 'pending', failures: 0, nextAttemptMs: startMs, attempts: [], createdMs: startMs } as const
    bench.rows.set(seq, { endpointId: 'whe_1', eventSeq: seq, ...facts })
  }
  bench.open()
  for (let round = 0; round < count; round++) {
    bench.send()
    bench.commitAll()
  }
  expect(bench.sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index + 1))
})

it('EndpointQueue takes back what was broken off', () => {
  const bench = new Bench(['a'])
  for (const task of bench.take()) bench.queue.abandoned(task)
  expect(bench.queue.nextReport()).toBeNull()
  expect(bench.send()).toEqual([1])
})
