import { UsageError } from '@penstock/testing/command-line.ts'

const names = ['auto', 'wrk', 'own'] as const

/** `--generator` of tools whose load only wrk and the own generator can make. Throws UsageError. */
export function readWrkOrOwn(name: string, hasWrk: boolean): 'wrk' | 'own' {
  if (!names.some((known) => known === name)) {
    throw new UsageError(`--generator is "${name}", expected ${names.join(', ')}`)
  }
  if (name === 'wrk' && !hasWrk) throw new UsageError('--generator is "wrk", but wrk is not installed')
  return name === 'own' || !hasWrk ? 'own' : 'wrk'
}
