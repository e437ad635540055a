import { SeededRandom } from './random.ts'

/** What a buyer does once they hold units. */
export type Intent =
  | 'pay'
  | 'release' //     changes their mind and says so
  | 'walk_away' //   closes the tab: the hold expires
  | 'pay_late' //    pays after the deadline
  | 'pay_wrong' //   pays a wrong amount, then leaves
  | 'pay_twice' //   two payments for one hold, say by card and by wallet

/** Everything a buyer will do, settled before the sale opens: the same seed gives the same plans. */
export interface BuyerPlan {
  readonly email: string
  /** When they come, after the opening. */
  readonly arrivalMs: number
  readonly quantity: number
  readonly intent: Intent
  /** From hold to payment, or to whatever they do instead. */
  readonly thinkMs: number
  /** How long after the deadline a late payment comes. */
  readonly lateMs: number
  /** Refused, they wait for units that come back, and then take one and pay. */
  readonly isPatient: boolean
  /** The network eats an answer: the same request with the same Idempotency-Key goes out again. */
  readonly repeatsHold: boolean
  readonly repeatsPayment: boolean
  /** The payment is reported once more, under another Idempotency-Key, as providers do. */
  readonly isReportedTwice: boolean
}

const intents: readonly (readonly [Intent, number])[] = [
  ['pay', 0.76],
  ['release', 0.06],
  ['walk_away', 0.07],
  ['pay_late', 0.06],
  ['pay_wrong', 0.03],
  ['pay_twice', 0.02],
]
const pairShare = 0.12
const patientShare = 0.4
const repeatShare = 0.03
/** Mean of an exponential: most come at once. A larger crowd takes longer, or the queue would outlive the holds. */
const arrivalMeanMinMs = 700
const arrivalMeanMsPerBuyer = 0.3
/** The last ones come after this many means. */
const arrivalMeansMax = 6
const thinkMaxMs = 900
const lateMaxMs = 1_500

export function planBuyers(count: number, seed: number): BuyerPlan[] {
  const random = new SeededRandom(seed)
  const arrivalMeanMs = Math.max(arrivalMeanMinMs, count * arrivalMeanMsPerBuyer)
  return Array.from({ length: count }, (_, index) => planBuyer(index, arrivalMeanMs, random))
}

/** Draws in a fixed order, so that plans depend on nothing but the seed. */
function planBuyer(index: number, arrivalMeanMs: number, random: SeededRandom): BuyerPlan {
  return {
    email: `buyer-${index + 1}@demo.test`,
    arrivalMs: Math.min(arrivalMeansMax, -Math.log(1 - random.next())) * arrivalMeanMs,
    quantity: random.chance(pairShare) ? 2 : 1,
    intent: drawIntent(random),
    thinkMs: random.below(thinkMaxMs),
    // Squared: most are only just too late.
    lateMs: random.next() ** 2 * lateMaxMs,
    isPatient: random.chance(patientShare),
    repeatsHold: random.chance(repeatShare),
    repeatsPayment: random.chance(repeatShare),
    isReportedTwice: random.chance(repeatShare),
  }
}

function drawIntent(random: SeededRandom): Intent {
  let rest = random.next()
  for (const [intent, share] of intents) {
    rest -= share
    if (rest < 0) return intent
  }
  return 'pay'
}
