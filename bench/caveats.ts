import type { Phase } from './phase.ts'

/** Others using more cores than this spoil a figure noticeably. */
export const noiseCores = 0.15

/** What a reader has to know of single phases before believing their medians. */
export function caveats(phases: readonly Phase[], nameOf: (phase: Phase) => string): string[] {
  const counted = phases.filter(({ run, violation }) => run > 0 && violation === null)
  return counted.flatMap((phase) => {
    const { cpu, load, run } = phase
    const name = `${nameOf(phase)}, run ${run}`
    const seconds = (load.elapsedMs / 1_000).toFixed(1)
    const noisy =
      cpu !== null && cpu.others >= noiseCores ? [`NOISY: ${name}: others used ${cpu.others.toFixed(2)} cores.`] : []
    return load.ranOut ? [...noisy, `SHORT: ${name}: its prepared requests were used up after ${seconds} s.`] : noisy
  })
}
