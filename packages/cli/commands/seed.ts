import { openApi, serverNotes, serverOptions } from '../api-client.ts'
import { exitCodes } from '../exit-code.ts'
import type { Api } from '../api-client.ts'
import type { Command } from '../command.ts'

const demoName = 'Demo drop: the Penstock sneaker'

export const seed: Command = {
  name: 'seed',
  summary: 'give a box without drops a live demo drop to try things on',
  options: serverOptions,
  notes: serverNotes,
  run: async (call, context) => {
    const id = await seedDemoDrop(openApi(call, context))
    if (call.json) context.output.json({ object: 'seed', drop: id })
    else context.output.line(id === null ? 'there are drops already: nothing was made' : `demo drop ${id} is live`)
    return exitCodes.done
  },
}

/**
 * Gives a box without drops a live one to try things on, through the API like anybody else. Returns its id, or null
 * when there were drops already. A start that was interrupted half way is finished by the next.
 */
export async function seedDemoDrop(api: Api): Promise<string | null> {
  const { data, hasMore } = await api.list('/v1/drops', new URLSearchParams(), 1)
  const [newest] = data
  if (newest !== undefined && (hasMore || newest['name'] !== demoName || newest['status'] !== 'draft')) return null
  const id = newest === undefined ? await createDemoDrop(api) : String(newest['id'])
  await api.post(`/v1/drops/${id}/publish`)
  return id
}

async function createDemoDrop(api: Api): Promise<string> {
  const drop = await api.post('/v1/drops', {
    name: demoName,
    description: 'Made by `penstock start` because there was no drop yet.',
    currency: 'usd',
    max_per_customer: 2,
    skus: [
      { name: 'Size 41', unit_amount: 4_999, stock: 100 },
      { name: 'Size 42', unit_amount: 4_999, stock: 200 },
      { name: 'Size 43', unit_amount: 4_999, stock: 200 },
    ],
  })
  return String(drop['id'])
}
