import { setTimeout as sleep } from 'node:timers/promises'
import { playBuyer } from './buyer.ts'
import { WaitingRoom } from './waiting-room.ts'
import type { BuyerPlan } from './plan.ts'
import type { Shop, Stock } from './shop.ts'
import type { Tally } from './tally.ts'

/** How often the shop window is looked at for units that came back. */
const lookMs = 50
/** More are let in than there are units, so that they compete. */
const admittedPerUnit = 2
/** A sale that takes longer is stuck. */
const saleMaxMs = 120_000

export interface SaleOutcome {
  readonly elapsedMs: number
  /** Buyers who still wanted a unit when nothing could come back any more: demand exceeded stock. */
  readonly unserved: number
}

export interface SaleView {
  readonly stock: Stock
  readonly waiting: number
  readonly elapsedMs: number
}

/** Lets the crowd in and waits until every hold is resolved. Rejects when a buyer is never answered. */
export async function runSale(
  shop: Shop,
  plans: readonly BuyerPlan[],
  tally: Tally,
  { signal, onView }: { signal: AbortSignal; onView: (view: SaleView) => void },
): Promise<SaleOutcome> {
  const waitingRoom = new WaitingRoom()
  const startedMs = performance.now()
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const deps = { shop, tally, waitingRoom, signal: stop }
  const failure = Promise.withResolvers<never>()
  let playing = plans.length
  const buyers = plans.map((plan) =>
    playBuyer(plan, deps)
      .catch((error: unknown) => {
        failure.reject(error instanceof Error ? error : new Error(String(error)))
        failed.abort()
      })
      .finally(() => {
        playing -= 1
      }),
  )

  const watch = async (): Promise<number> => {
    for (;;) {
      stop.throwIfAborted()
      // Who is playing now and does not wait can still take or bring back units.
      const areAllSettled = playing === waitingRoom.size
      const stock = await shop.readStock()
      const elapsedMs = performance.now() - startedMs
      onView({ stock, waiting: waitingRoom.size, elapsedMs })
      if (elapsedMs > saleMaxMs) throw new Error(`the sale is not over after ${saleMaxMs / 1_000} s`)
      const nothingComesBack = stock.held === 0 && (stock.available === 0 || waitingRoom.size === 0)
      if (areAllSettled && nothingComesBack) return waitingRoom.size
      if (stock.available > 0) waitingRoom.admit(stock.available * admittedPerUnit)
      await sleep(lookMs, undefined, { signal: stop })
    }
  }
  try {
    const unserved = await Promise.race([watch(), failure.promise])
    const elapsedMs = performance.now() - startedMs
    waitingRoom.close()
    await Promise.all(buyers)
    return { elapsedMs, unserved }
  } finally {
    failed.abort()
    waitingRoom.close()
  }
}
