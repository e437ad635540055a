import { callApi } from './api-client.ts'

interface Listed {
  readonly id: string
}

/**
 * Gives a box without drops a live one to try things on, through the API like anybody else. Returns its id, or null
 * when there were drops already. The idempotency key makes a start that was interrupted half way harmless.
 */
export async function seedDemoDrop(baseUrl: string, secretKey: string): Promise<string | null> {
  const drops = await callApi(baseUrl, secretKey, 'GET', '/v1/drops?limit=1')
  if ((drops['data'] as Listed[]).length > 0) return null
  const drop = await callApi(
    baseUrl,
    secretKey,
    'POST',
    '/v1/drops',
    {
      name: 'Demo drop: the Penstock sneaker',
      description: 'Made by `penstock start` because there was no drop yet.',
      currency: 'usd',
      max_per_customer: 2,
      skus: [
        { name: 'Size 41', unit_amount: 4_999, stock: 100 },
        { name: 'Size 42', unit_amount: 4_999, stock: 200 },
        { name: 'Size 43', unit_amount: 4_999, stock: 200 },
      ],
    },
    'seed-demo-drop',
  )
  const id = String(drop['id'])
  await callApi(baseUrl, secretKey, 'POST', `/v1/drops/${id}/publish`)
  return id
}
