/** The user asked for something that cannot be done. The message is for them; the exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

export interface Bounds {
  readonly min: number
  readonly max: number
}

/** The value of `--name`. Throws UsageError, with the bounds, unless it is a whole number within them. */
export function wholeOption(name: string, text: string, { min, max }: Bounds): number {
  const value = Number(text)
  if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
    const [from, to] = [min, max].map((bound) => bound.toLocaleString('en-US'))
    throw new UsageError(`--${name} is "${text}", expected a whole number from ${from} to ${to}`)
  }
  return value
}

/** Runs a parser of node:util with its errors as UsageError. */
export function readingOptions<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // "Unknown option '--x'. To specify a positional argument starting with ...": the first sentence says it.
    throw new UsageError(error.message.split('. ', 1)[0] ?? error.message)
  }
}
