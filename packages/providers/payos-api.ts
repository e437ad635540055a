import { setTimeout as delay } from 'node:timers/promises'
import { payosAttemptsMax, payosRetryWaitMs } from '@penstock/domain/limits.ts'
import { isPayosSignature } from './payos-signature.ts'
import { ProviderError } from './provider.ts'
import type { CallOptions } from './provider.ts'

export interface PayosAccount {
  readonly clientId: string
  readonly apiKey: string
  /** Signs requests, answers and webhooks; never sent. */
  readonly checksumKey: string
}

/** What payOS answers: `code` is "00" when it did what was asked. */
interface PayosAnswer {
  readonly code: string
  readonly desc: string
  readonly data: Readonly<Record<string, unknown>> | null
  readonly signature: unknown
}

/** Refused by payOS itself, for a reason it has a code for. */
export class PayosRefusal extends ProviderError {
  /** "231": there is a payment with this order code. "101": there is none. */
  readonly payosCode: string
  constructor(payosCode: string, desc: string) {
    super('refused', `payOS refused with code ${payosCode}: ${desc.slice(0, 200)}`)
    this.payosCode = payosCode
  }
}

/**
 * One call of the payOS merchant API (https://payos.vn/docs/api/) within its deadline: what may pass is tried again after
 * a wait that doubles. Safe to repeat, because each call names its order code. Resolves with `data`; rejects with
 * ProviderError.
 */
export class PayosApi {
  readonly #account: PayosAccount
  readonly #baseUrl: string

  constructor(account: PayosAccount, baseUrl: string) {
    this.#account = account
    this.#baseUrl = baseUrl
  }

  async call(
    method: 'GET' | 'POST',
    path: string,
    body: object | null,
    { deadlineMs, signal }: CallOptions,
  ): Promise<Readonly<Record<string, unknown>>> {
    const timeout = AbortSignal.timeout(deadlineMs)
    const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
    for (let attempt = 1; ; attempt++) {
      try {
        return this.#read(await this.#send(method, path, body, ends))
      } catch (error) {
        if (ends.aborted)
          throw new ProviderError('timeout', `payOS did not answer in ${deadlineMs} ms`, { cause: error })
        const failure = toFailure(error)
        if (!failure.retryable || attempt >= payosAttemptsMax) throw failure
        await delay(payosRetryWaitMs * 2 ** (attempt - 1), undefined, { signal: ends }).catch(() => undefined)
        if (ends.aborted) throw failure
      }
    }
  }

  async #send(method: string, path: string, body: object | null, signal: AbortSignal): Promise<PayosAnswer> {
    const response = await fetch(this.#baseUrl + path, {
      method,
      headers: {
        'x-client-id': this.#account.clientId,
        'x-api-key': this.#account.apiKey,
        'content-type': 'application/json',
      },
      body: body === null ? null : JSON.stringify(body),
      // Nobody sends our keys somewhere else.
      redirect: 'error',
      signal,
    })
    const text = await response.text()
    const { status } = response
    if (status === 401 || status === 403) {
      throw new ProviderError(
        'misconfigured',
        `payOS does not accept PAYOS_CLIENT_ID and PAYOS_API_KEY (HTTP ${status})`,
      )
    }
    if (status === 429) throw new ProviderError('rate_limited', 'payOS had too many requests')
    if (status === 408 || status >= 500) throw new ProviderError('unreachable', `payOS answered HTTP ${status}`)
    return readAnswer(text, status)
  }

  #read({ code, desc, data, signature }: PayosAnswer): Readonly<Record<string, unknown>> {
    if (code !== '00' || data === null) throw new PayosRefusal(code, desc)
    if (signature !== undefined && !isPayosSignature(signature, data, this.#account.checksumKey)) {
      throw new ProviderError('misconfigured', 'an answer of payOS is not signed with PAYOS_CHECKSUM_KEY')
    }
    return data
  }
}

function readAnswer(text: string, status: number): PayosAnswer {
  const answer: unknown = parse(text)
  if (!isRecord(answer) || typeof answer['code'] !== 'string') {
    throw new ProviderError('unreachable', `payOS answered HTTP ${status} with something that is not its own`)
  }
  const { code, desc, data, signature } = answer
  return { code, desc: typeof desc === 'string' ? desc : '', data: isRecord(data) ? data : null, signature }
}

function toFailure(error: unknown): ProviderError {
  return error instanceof ProviderError
    ? error
    : new ProviderError('unreachable', 'payOS could not be reached', { cause: error })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
