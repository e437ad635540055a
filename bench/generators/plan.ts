import type { RowCounts } from '../row-counts.ts'

/** What the requests of a step are. `{token}` marks where a variable request differs from the others. */
export interface RequestTemplate {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/**
 * What goes where a template says `{token}`; all tokens of a step have one length.
 * - `count`: numbers of 12 digits from `from` on, without end.
 * - `list`: each is used once, and the phase ends early when they are used up; `again`: over and over instead.
 * - `requests`: whole requests, each used once; the template is not looked at. Built by `renderRequest`.
 * - `answered`: the ids in the answers of the steps with `keepsId`, oldest first; `seed` are there from the start.
 */
export type Tokens =
  | { readonly kind: 'count'; readonly from: number }
  | { readonly kind: 'list'; readonly list: readonly string[]; readonly again?: true }
  | { readonly kind: 'requests'; readonly list: readonly string[] }
  | { readonly kind: 'answered'; readonly seed: readonly string[] }

/** One kind of request, and what its answer means. */
export interface Step {
  readonly name: string
  readonly template: RequestTemplate
  /** Null: every request is the same. */
  readonly tokens: Tokens | null
  /** Which answers count as success: any 2xx, or exactly this status. */
  readonly expects: '2xx' | number
  /** Rows that one such answer adds, by name; what is not named must not change. */
  readonly rows: Readonly<Partial<RowCounts>>
  /** The `id` in its answer becomes a token of the steps with `answered` tokens. */
  readonly keepsId?: true
  /** What the body of such an answer begins with, unlike those of the other steps of a mix: wrk knows no other sign. */
  readonly answerStart?: string
}

/** The requests of a phase: `order` names steps by their place, and is repeated without end. */
export interface RequestPlan {
  readonly steps: readonly Step[]
  readonly order: readonly number[]
  /**
   * Sent by each connection of a closed loop, once, when the time is over: a request that is answered late, so that the
   * connection rests. Its being sent proves that the request before it was answered, so no request is in doubt. Null:
   * the requests change nothing and may be cut off.
   */
  readonly parking: RequestTemplate | null
}

export const tokenMark = '{token}'
const countDigits = 12

export function singleStep(step: Step, parking: RequestTemplate | null): RequestPlan {
  return { steps: [step], order: [0], parking }
}

/** The only step of a plan, for generators that know one kind of request. */
export function onlyStep({ steps }: RequestPlan): Step {
  const [step] = steps
  if (step === undefined || steps.length > 1) throw new Error('this generator can send one kind of request only')
  return step
}

/**
 * Places of steps in an order of `sum(weights)`, each as often as its weight says and as evenly as that allows: the
 * step that is furthest behind its share goes next, the earlier of two equal ones first.
 */
export function spreadEvenly(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const credits = weights.map(() => 0)
  return Array.from({ length: total }, () => {
    let next = 0
    for (const [place, weight] of weights.entries()) {
      credits[place] = (credits[place] ?? 0) + weight
      if ((credits[place] ?? 0) > (credits[next] ?? 0)) next = place
    }
    credits[next] = (credits[next] ?? 0) - total
    return next
  })
}

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

/** A request without tokens, in one piece. */
export function renderRequest(template: RequestTemplate, url: string): string {
  return renderPieces(template, url, 0).join('')
}

/** The pieces of a step's requests; whole requests go between two empty ones. */
export function piecesOf({ template, tokens }: Step, url: string): string[] {
  if (tokens?.kind === 'requests') return ['', '']
  return renderPieces(template, url, tokens === null ? 0 : lengthOfTokens(tokens))
}

export function lengthOfTokens(tokens: Exclude<Tokens, { kind: 'requests' }>): number {
  if (tokens.kind === 'count') return countDigits
  const list = tokens.kind === 'answered' ? tokens.seed : tokens.list
  const [first] = list
  if (first === undefined) throw new Error('there must be a token at least')
  if (list.some((token) => token.length !== first.length)) throw new Error('tokens must have one length')
  return first.length
}

export function countToken(value: number): string {
  return String(value).padStart(countDigits, '0')
}
