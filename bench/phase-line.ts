import { styleText } from 'node:util'
import { noiseCores } from './caveats.ts'
import { count, usAsMs } from './report/format.ts'
import type { Phase } from './phase.ts'

/** One finished phase, for the running commentary. */
export function renderPhase(phase: Phase): string {
  const { scenario, generator, run, load, perSecond, violation } = phase
  const name = `${scenario.padEnd(21)} ${generator.padEnd(10)} ${run === 0 ? 'warm-up' : `run ${run}`.padEnd(7)}`
  if (violation !== null) return styleText(['red', 'bold'], `✗ ${name} VOID: ${violation}`)
  const [kind, added] = Object.entries(phase.rows).find(([, some]) => some !== 0) ?? []
  const changed = kind === undefined || added === undefined ? 'nothing changed' : `${count(added)} ${spaced(kind)}`
  const seconds = `${(load.elapsedMs / 1_000).toFixed(1)} s${load.ranOut ? ' (ran out of holds)' : ''}`
  const figures = `${count(perSecond).padStart(8)}/s in ${seconds}, p99 ${usAsMs(load.latencyUs.p99)} ms; ${count(load.ok)} accepted, ${changed}`
  return `${styleText('green', '✓')} ${name} ${figures}${noise(phase)}`
}

/** Somebody else used the machine: the figure is lower than it could be. */
function noise({ cpu }: Phase): string {
  if (cpu === null || cpu.others < noiseCores) return ''
  return styleText('yellow', `; NOISY: others used ${cpu.others.toFixed(2)} cores`)
}

/** `ledgerEntries` → `ledger entries` */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
