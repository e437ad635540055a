import { readFileSync } from 'node:fs'
import { countToken } from '../plan.ts'

/** One step as a worker gets it. */
export interface StepOrder {
  readonly name: string
  readonly pieces: readonly string[]
  readonly tokens:
    | { readonly kind: 'none' }
    | { readonly kind: 'count'; readonly from: number; readonly stride: number }
    /** One token between two zero bytes, this worker's own. */
    | { readonly kind: 'file'; readonly file: string; readonly again: boolean }
    | { readonly kind: 'answered'; readonly seed: readonly string[] }
  readonly expects: '2xx' | number
  readonly keepsId: boolean
}

/** Makes the requests of the steps; ids that answers brought go in by `keepId`. */
export class RequestSource {
  readonly #next: readonly (() => Buffer | string | null)[]
  readonly #ids: string[]
  #idsTaken = 0
  readonly #isList: readonly boolean[]

  constructor(steps: readonly StepOrder[]) {
    this.#ids = steps.flatMap(({ tokens }) => (tokens.kind === 'answered' ? tokens.seed : []))
    this.#next = steps.map((step) => this.#prepare(step))
    this.#isList = steps.map(({ tokens }) => tokens.kind === 'file')
  }

  /** Null when there is no token: for good (`isFinite`), or until an answer brings one. */
  next(step: number): Buffer | string | null {
    return this.#next[step]?.() ?? null
  }

  isFinite(step: number): boolean {
    return this.#isList[step] === true
  }

  keepId(id: string): void {
    this.#ids.push(id)
  }

  #prepare({ pieces, tokens }: StepOrder): () => Buffer | string | null {
    switch (tokens.kind) {
      case 'none': {
        const request = Buffer.from(pieces.join(''), 'latin1')
        return () => request
      }
      case 'count': {
        let at = tokens.from
        return () => {
          at += tokens.stride
          return pieces.join(countToken(at - tokens.stride))
        }
      }
      case 'file': {
        const list = readFileSync(tokens.file, 'latin1').split('\0')
        let at = 0
        return () => {
          if (tokens.again && at === list.length) at = 0
          const token = list[at++]
          return token === undefined || token === '' ? null : pieces.join(token)
        }
      }
      case 'answered':
        return () => this.#takeId(pieces)
    }
  }

  #takeId(pieces: readonly string[]): string | null {
    const id = this.#ids[this.#idsTaken]
    if (id === undefined) return null
    this.#idsTaken += 1
    if (this.#idsTaken === 65_536) {
      this.#ids.splice(0, this.#idsTaken)
      this.#idsTaken = 0
    }
    return pieces.join(id)
  }
}
