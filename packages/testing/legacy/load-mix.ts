import { SeededRandom } from '../demo/random.ts'
import type { Client } from '../client.ts'

/**
 * The old system's load: of 100 rounds, 60 read the list, 20 buy a drop of it and report the payment, 10 report a payment for
 * an order that nobody has, 10 do nothing. What a client of the old system sends, and nothing that it did not know.
 */
export interface MixOptions {
  readonly rounds: number
  /** Rounds under way at once. */
  readonly workers: number
  /** Repeats the choices. */
  readonly seed: number
}

/** Answers by what was asked. What is none of these is in `failures`, one sentence each. */
export interface MixReport {
  lists: number
  /** 200 with an order code. */
  bought: number
  /** 400 with an error: sold out, mostly. */
  refused: number
  /** 200: the payment of something bought. */
  paid: number
  /** 500: so that payOS would tell it again. */
  unknown: number
  idle: number
  readonly failures: string[]
}

interface OldDrop {
  readonly id: number
  readonly name: string
}

interface OldAnswer {
  readonly error?: string
  readonly order_code?: number
  readonly payment_url?: string
}

export async function runMix(client: Client, { rounds, workers, seed }: MixOptions): Promise<MixReport> {
  const random = new SeededRandom(seed)
  const report: MixReport = { lists: 0, bought: 0, refused: 0, paid: 0, unknown: 0, idle: 0, failures: [] }
  const mix = new Mix(client, random, report)
  let begun = 0
  const work = async (): Promise<void> => {
    while (begun < rounds) await mix.round(begun++)
  }
  // The others buy what the first one found.
  await mix.list()
  await Promise.all(Array.from({ length: workers }, work))
  return report
}

class Mix {
  readonly #client: Client
  readonly #random: SeededRandom
  readonly #report: MixReport
  #drops: readonly OldDrop[] = []

  constructor(client: Client, random: SeededRandom, report: MixReport) {
    this.#client = client
    this.#random = random
    this.#report = report
  }

  async round(number: number): Promise<void> {
    const choice = this.#random.below(10)
    if (choice < 6) await this.list()
    else if (choice < 8) await this.#buy(number)
    else if (choice < 9) await this.#reportUnknown()
    else this.#report.idle += 1
  }

  async list(): Promise<void> {
    const { status, text, body } = await this.#client.get<readonly OldDrop[] | null>('/api/drops')
    if (status !== 200 || (body !== null && !Array.isArray(body))) return this.#fail('list', status, text)
    this.#drops = body ?? []
    this.#report.lists += 1
  }

  async #buy(number: number): Promise<void> {
    const drop = this.#drops[this.#random.below(this.#drops.length)]
    if (drop === undefined) return void this.#report.failures.push('there is no drop to buy')
    const { status, text, body } = await this.#client.post<OldAnswer>(`/api/drops/${drop.id}/purchase`, {
      quantity: 1,
      name: `Buyer ${number}`,
      phone: `09${String(number).padStart(8, '0')}`,
      email: `buyer${number}@example.com`,
      address: '1 Lê Lợi',
      province: 'Hồ Chí Minh',
      district: 'Quận 1',
      ward: 'Bến Nghé',
    })
    if (status === 400 && typeof body.error === 'string') return void (this.#report.refused += 1)
    const { order_code: orderCode } = body
    if (status !== 200 || !Number.isSafeInteger(orderCode) || typeof body.payment_url !== 'string') {
      return this.#fail('purchase', status, text)
    }
    this.#report.bought += 1
    await this.#sendReport(Number(orderCode), 200, () => (this.#report.paid += 1))
  }

  #reportUnknown(): Promise<void> {
    return this.#sendReport(this.#random.below(2 ** 31), 500, () => (this.#report.unknown += 1))
  }

  async #sendReport(orderCode: number, expected: number, onExpected: () => void): Promise<void> {
    const body = { code: '00', desc: 'success', data: { orderCode, status: 'PAID' } }
    const { status, text } = await this.#client.post('/api/limited-drops/webhook/payos', body)
    if (status === expected) onExpected()
    else this.#fail('webhook', status, text)
  }

  #fail(what: string, status: number, text: string): void {
    this.#report.failures.push(`${what}: ${status} ${text.slice(0, 200)}`)
  }
}
