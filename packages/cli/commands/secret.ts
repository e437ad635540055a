import type { Json } from '../api-client.ts'
import type { Context } from '../command.ts'

/** The secret of what was just made. An answer that had to be asked for twice has none: then `advice`. */
export function printSecret({ secret }: Json, advice: string, { output }: Context): void {
  if (typeof secret === 'string') {
    output.line(secret)
    output.note('This is the only time the secret is shown: keep it now.')
  } else output.note(`The answer with the secret got lost on its way. ${advice}`)
}
