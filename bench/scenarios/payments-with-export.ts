import { payments } from './payments.ts'
import type { Lab } from '../lab.ts'
import type { Scenario } from './scenario.ts'

/** Payments as in `payments`, while one client downloads all holds again and again: what slow reads cost a sale. */
export const paymentsWithExport: Scenario = {
  ...payments,
  name: 'payments-with-export',
  onlyWhenNamed: true,
  summary: 'the same, while one client exports all holds as CSV again and again',
  alongside: downloadHolds,
}

async function downloadHolds({ box }: Lab, signal: AbortSignal): Promise<void> {
  const headers = { authorization: `Bearer ${box.secretKey}` }
  while (!signal.aborted) {
    try {
      const response = await fetch(`${box.url}/v1/exports/holds`, { headers, signal })
      if (!response.ok) throw new Error(`the export was answered ${response.status}: ${await response.text()}`)
      for await (const piece of response.body ?? []) void piece
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
