/** How a client is made. Times are milliseconds. */
export interface PenstockOptions extends RetryOptions {
  /** Where the server is, such as `https://drops.example.com`. In a browser: `location.origin`. */
  readonly baseUrl: string
  /** `sk_...` on a server, `pk_...` in a browser. */
  readonly apiKey: string
  /**
   * Reads wait until they see every write this client has seen, whichever process of the server answers, and a hold is
   * not refused for units that came back in one of them. True when absent. What a client has seen is forgotten with it:
   * after a server was restored from a backup, make a new client.
   */
  readonly readYourWrites?: boolean | undefined
  /** Instead of the global fetch: for proxies and connection pools of your own. */
  readonly fetch?: typeof fetch | undefined
}

/** The bounds of one call. Those of a request go before those of the client. */
export interface RetryOptions {
  /** One attempt, from sending to the last byte of the answer. 10,000 when absent: above the server's own deadline of 5 s. */
  readonly timeoutMs?: number | undefined
  /** All attempts and the waits between them. 30,000 when absent. */
  readonly totalTimeoutMs?: number | undefined
  /** 4 when absent; 1 never repeats. */
  readonly maxAttempts?: number | undefined
}

export interface RequestOptions extends RetryOptions {
  /**
   * Of writes; 1 to 255 visible ASCII characters. The SDK makes one when absent, which protects the attempts of this
   * call. To be safe across restarts of your own program, store one before the call and give it here.
   */
  readonly idempotencyKey?: string | undefined
  /** Ends the call, which then rejects with the signal's reason. A write may have taken effect nevertheless. */
  readonly signal?: AbortSignal | undefined
}

/** For whoever made a hold with a publishable key: its `client_secret`. A secret key needs none. */
export interface HoldOptions extends RequestOptions {
  readonly clientSecret?: string | undefined
}

const defaults = { timeoutMs: 10_000, totalTimeoutMs: 30_000, maxAttempts: 4 }

/** The bounds of a call, from the most particular options that name them. Throws RangeError for one that is no bound. */
export function boundsOf(...options: readonly RetryOptions[]): typeof defaults {
  const bounds = { ...defaults }
  for (const name of ['timeoutMs', 'totalTimeoutMs', 'maxAttempts'] as const) {
    const value = options.find((some) => some[name] !== undefined)?.[name] ?? bounds[name]
    // Timers take 31 bits; what is longer would fire at once.
    if (!Number.isInteger(value) || value < 1 || value > 2 ** 31 - 1) {
      throw new RangeError(`${name} must be a whole number from 1 to ${2 ** 31 - 1}`)
    }
    bounds[name] = value
  }
  return bounds
}
