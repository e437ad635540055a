import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import type { Histogram } from 'hdr-histogram-js'

/** Microseconds. */
export interface Latency {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Two minutes: longer than anything is waited for here. */
const latencyUsMax = 120_000_000

/** A histogram of microseconds, exact to three digits. Record through `recordMs`. */
export function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: latencyUsMax,
    numberOfSignificantValueDigits: 3,
  })
}

/** Less than a microsecond counts as one; more than two minutes as two. */
export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(latencyUsMax, Math.max(1, Math.round(ms * 1_000))))
}

/** For the way between processes. */
export function packHistogram(histogram: Histogram): string {
  return encodeIntoCompressedBase64(histogram)
}

/** One histogram of all values: percentiles of parts cannot be averaged, their histograms can be added. */
export function mergeHistograms(packed: readonly string[]): Histogram {
  const all = newHistogram()
  for (const one of packed) all.add(decodeFromCompressedBase64(one))
  return all
}

export function summariseLatency(histogram: Histogram): Latency {
  const at = (percentile: number): number =>
    histogram.totalCount === 0 ? 0 : histogram.getValueAtPercentile(percentile)
  return {
    mean: histogram.totalCount === 0 ? 0 : histogram.mean,
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue,
  }
}
