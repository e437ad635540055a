/** `12,345` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Microseconds as milliseconds: `1.23`. */
export function usAsMs(us: number): string {
  return (us / 1_000).toFixed(us < 100_000 ? 2 : 0)
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

export function percent(fraction: number): string {
  const value = 100 * fraction
  // Never 100% of what was not all.
  return `${(fraction < 1 ? Math.min(99.99, Math.floor(value * 100) / 100) : value).toFixed(2)}%`
}

export function cores(busy: number | undefined): string {
  return busy === undefined ? '–' : busy.toFixed(2)
}
