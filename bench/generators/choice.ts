import type { PlanKind } from './generator.ts'

/** In the order of preference: the first that is installed and can send a scenario makes its load. */
export const generatorNames = ['wrk', 'k6', 'autocannon', 'own'] as const
export type GeneratorName = (typeof generatorNames)[number]

/** What each can send. oha is not here: it knows constant requests only, which wrk, autocannon and k6 send as well. */
export const sendsOf: Readonly<Record<GeneratorName, ReadonlySet<PlanKind>>> = {
  wrk: new Set(['constant', 'variable', 'mix']),
  k6: new Set(['constant', 'variable', 'mix']),
  autocannon: new Set(['constant', 'variable']),
  own: new Set(['constant', 'variable', 'mix']),
}

export interface Sender {
  readonly name: string
  readonly sends: ReadonlySet<PlanKind>
}

/** Who makes the load of one scenario, and who was asked to and cannot. */
export interface Choice<Some extends Sender> {
  readonly chosen: readonly Some[]
  readonly unable: readonly Some[]
}

/** `isEach`: all of `generators` that can; otherwise the first of them. */
export function chooseGenerators<Some extends Sender>(
  kind: PlanKind,
  generators: readonly Some[],
  isEach: boolean,
): Choice<Some> {
  const able = generators.filter(({ sends }) => sends.has(kind))
  if (!isEach) return { chosen: able.slice(0, 1), unable: [] }
  return { chosen: able, unable: generators.filter((generator) => !able.includes(generator)) }
}
