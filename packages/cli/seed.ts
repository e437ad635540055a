import { callApi } from './api-client.ts'

interface Listed {
  readonly id: string
  readonly name: string
  readonly status: string
}

const demoName = 'Demo drop: the Penstock sneaker'

/**
 * Gives a box without drops a live one to try things on, through the API like anybody else. Returns its id, or null
 * when there were drops already. A start that was interrupted half way is finished by the next.
 */
export async function seedDemoDrop(baseUrl: string, secretKey: string): Promise<string | null> {
  const { data, has_more: hasMore } = await callApi(baseUrl, secretKey, 'GET', '/v1/drops?limit=1')
  const [newest] = data as Listed[]
  if (newest !== undefined && (hasMore === true || newest.name !== demoName || newest.status !== 'draft')) return null
  const id = newest?.id ?? (await createDemoDrop(baseUrl, secretKey))
  await callApi(baseUrl, secretKey, 'POST', `/v1/drops/${id}/publish`)
  return id
}

async function createDemoDrop(baseUrl: string, secretKey: string): Promise<string> {
  const drop = await callApi(baseUrl, secretKey, 'POST', '/v1/drops', {
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
