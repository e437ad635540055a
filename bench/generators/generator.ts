/** What the requests of a phase are. `{token}` marks where a variable request differs from the others. */
export interface RequestTemplate {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/**
 * Where the tokens come from, all of one length. `list`: each is used once, and the phase ends early when they are
 * used up. `count`: numbers of 12 digits from `from` on, without end.
 */
export type Tokens =
  | { readonly kind: 'list'; readonly list: readonly string[] }
  | { readonly kind: 'count'; readonly from: number }

export interface RequestPlan {
  readonly template: RequestTemplate
  /** Null: every request is the same, and may be cut off at the end because it changes nothing. */
  readonly variation: Variation | null
}

export interface Variation {
  readonly tokens: Tokens
  /**
   * Sent by each connection, once, when the time is over: a request that is answered late, so that the connection
   * rests. Its being sent proves that the request before it was answered, so no request is in doubt.
   */
  readonly parking: RequestTemplate
}

export interface Load {
  /** http://host:port */
  readonly url: string
  readonly plan: RequestPlan
  readonly connections: number
  readonly durationMs: number
}

export interface LoadResult {
  /** First request to last answer. */
  readonly elapsedMs: number
  /** Answers with status 2xx. */
  readonly ok: number
  /** Answers with another status. */
  readonly refused: number
  /** Broken connections and timeouts: requests whose outcome is unknown. */
  readonly errors: number
  readonly latencyUs: Latency
  /** The prepared tokens were used up before the time was over. */
  readonly ranOut: boolean
}

export interface Latency {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface LoadHooks {
  /** The processes that make the load, when the first request goes out. */
  readonly onStarted: (pids: readonly number[]) => void
  readonly signal: AbortSignal
}

/** A load generator: closed loop, each connection sends its next request when the last one is answered. */
export interface Generator {
  readonly name: string
  /** With version and size, for the report. */
  readonly description: string
  run(load: Load, hooks: LoadHooks): Promise<LoadResult>
}

export const tokenMark = '{token}'
const countDigits = 12

/** The bytes of a request, cut at its tokens of `length`: between two pieces goes one. A single piece: no token. */
export function renderPieces({ method, path, headers, body }: RequestTemplate, url: string, length: number): string[] {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(url).host}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== null) {
    const marks = body.split(tokenMark).length - 1
    lines.push(`Content-Length: ${Buffer.byteLength(body) + marks * (length - tokenMark.length)}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`.split(tokenMark)
}

export function lengthOfTokens(tokens: Tokens): number {
  if (tokens.kind === 'count') return countDigits
  const [first = ''] = tokens.list
  if (tokens.list.some((token) => token.length !== first.length)) throw new Error('tokens must have one length')
  return first.length
}

export function countToken(value: number): string {
  return String(value).padStart(countDigits, '0')
}
