/**
 * The intended times of one worker of `workers`, at a constant rate of all of them together. Together they make one
 * even row: worker 0 sends the requests 0, `workers`, 2 × `workers`, and so on. Times are ms after the start.
 */
export interface Schedule {
  /** Requests of this worker within the duration. */
  readonly count: number
  /** From 0 to `count` - 1. */
  readonly intendedMs: (place: number) => number
}

/** `perSecond` of all workers together, more than 0; `worker` from 0 on. */
export function makeSchedule(perSecond: number, durationMs: number, worker: number, workers: number): Schedule {
  const total = Math.floor((perSecond * durationMs) / 1_000)
  const stepMs = (workers * 1_000) / perSecond
  const firstMs = (worker * 1_000) / perSecond
  return {
    count: Math.max(0, Math.ceil((total - worker) / workers)),
    // Multiplied, not added up: rounding must not let the rate drift.
    intendedMs: (place) => firstMs + place * stepMs,
  }
}
