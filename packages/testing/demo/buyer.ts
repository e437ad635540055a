import { setTimeout as sleep } from 'node:timers/promises'
import type { BuyerPlan } from './plan.ts'
import type { OpenHold, Shop } from './shop.ts'
import type { Tally } from './tally.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** Buyers who waited know what they want. */
const impatientThinkMs = 100

export interface BuyerDeps {
  readonly shop: Shop
  readonly tally: Tally
  readonly waitingRoom: WaitingRoom
  readonly signal: AbortSignal
}

/** One buyer, from arrival to leaving. */
export async function playBuyer(plan: BuyerPlan, deps: BuyerDeps): Promise<void> {
  const { shop, tally, signal } = deps
  await sleep(plan.arrivalMs, undefined, { signal })
  tally.buyersArrived += 1
  await shop.readStock()
  const hold = await firstHold(plan, deps)
  if (hold !== null) await followIntent(plan, hold, deps)
  else if (plan.isPatient) await waitAndBuy(plan, deps)
  tally.buyersDone += 1
}

async function firstHold(plan: BuyerPlan, { shop, tally }: BuyerDeps): Promise<OpenHold | null> {
  const ask = (): Promise<OpenHold | null> => shop.hold(plan.email, plan.quantity, `hold ${plan.email}`)
  if (!plan.repeatsHold) return ask()
  // Both are under way at once, so they may well share one commit.
  const [first, second] = await Promise.all([ask(), ask()])
  // A refusal does not consume the key: one of the two may find what the other did not. Two holds must be one.
  if (first !== null && second !== null && first.id !== second.id) {
    tally.contradictions.push(`one Idempotency-Key made two holds: ${first.id} and ${second.id}`)
  }
  return first ?? second
}

/** Tries again whenever units come back, until there is one or the sale is over. */
async function waitAndBuy(plan: BuyerPlan, { shop, waitingRoom, signal }: BuyerDeps): Promise<void> {
  for (let attempt = 2; await waitingRoom.wait(); attempt++) {
    const hold = await shop.hold(plan.email, 1, `hold ${attempt} ${plan.email}`)
    if (hold === null) continue
    await sleep(Math.min(plan.thinkMs, impatientThinkMs), undefined, { signal })
    await shop.pay(hold.id, hold.amount, `pi ${attempt} ${plan.email}`, `pay ${attempt} ${plan.email}`)
    return
  }
}

async function followIntent(plan: BuyerPlan, hold: OpenHold, deps: BuyerDeps): Promise<void> {
  const { shop, signal } = deps
  await sleep(plan.thinkMs, undefined, { signal })
  switch (plan.intent) {
    case 'pay':
      return pay(plan, hold, deps)
    case 'release':
      return shop.release(hold, `release ${plan.email}`)
    case 'walk_away':
      return
    case 'pay_late':
      await sleep(Math.max(0, hold.expiresMs - Date.now()) + plan.lateMs, undefined, { signal })
      return pay(plan, hold, deps)
    case 'pay_wrong':
      return shop.pay(hold.id, hold.amount - 100, `pi wrong ${plan.email}`, `pay wrong ${plan.email}`)
    case 'pay_twice':
      await pay(plan, hold, deps)
      return shop.pay(hold.id, hold.amount, `pi second ${plan.email}`, `pay second ${plan.email}`)
  }
}

async function pay(plan: BuyerPlan, hold: OpenHold, { shop }: BuyerDeps): Promise<void> {
  const reference = `pi ${plan.email}`
  const send = (key: string): Promise<void> => shop.pay(hold.id, hold.amount, reference, `${key} ${plan.email}`)
  await (plan.repeatsPayment ? Promise.all([send('pay'), send('pay')]) : send('pay'))
  if (plan.isReportedTwice) await send('report')
}
