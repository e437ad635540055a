import { expect, it } from 'vitest'
import { Listing } from './listing.ts'
import type { ListPage, ListParams } from './listing.ts'

/** Ids 1 to 5 newest first, served as the server does. */
function list(params: ListParams): { listing: Listing<{ id: string }>; asked: ListParams[] } {
  const asked: ListParams[] = []
  const all = ['5', '4', '3', '2', '1']
  const readPage = (query: ListParams): Promise<ListPage<{ id: string }>> => {
    asked.push(query)
    const { limit = 10, starting_after: after, ending_before: before } = query
    const rest = all.filter((id) => (after === undefined || id < after) && (before === undefined || id > before))
    const page = before === undefined ? rest.slice(0, limit) : rest.slice(-limit)
    return Promise.resolve({ object: 'list', data: page.map((id) => ({ id })), has_more: rest.length > limit })
  }
  return { listing: new Listing(readPage, params), asked }
}

async function ids(listing: AsyncIterable<{ id: string }>): Promise<string> {
  let text = ''
  for await (const { id } of listing) text += id
  return text
}

it.each<[ListParams, string, number]>([
  [{}, '54321', 1],
  [{ limit: 2 }, '54321', 3],
  [{ limit: 5 }, '54321', 1],
  [{ limit: 2, starting_after: '4' }, '321', 2],
  [{ limit: 2, ending_before: '2' }, '345', 2],
  [{ limit: 1, ending_before: '3' }, '45', 2],
  [{ starting_after: '1' }, '', 1],
])('Listing of %j gives %j in %i pages, and again', async (params, expected, pages) => {
  const { listing, asked } = list(params)
  expect(await ids(listing)).toBe(expected)
  expect(asked).toHaveLength(pages)
  expect(await ids(listing)).toBe(expected)
})

it('Listing asks for nothing before it is read, and for no page that is not wanted', async () => {
  const { listing, asked } = list({ limit: 2 })
  expect(asked).toEqual([])
  for await (const { id } of listing) if (id === '4') break
  expect(asked).toHaveLength(1)
})

it('Listing.page is one page with the parameters as they are; iteration asks for large ones', async () => {
  const { listing, asked } = list({})
  expect(await listing.page()).toMatchObject({ has_more: false })
  await ids(listing)
  expect(asked).toEqual([{}, { limit: 100 }])
})

it('Listing stops at an empty page, whatever it says of more', async () => {
  const listing = new Listing(() => Promise.resolve({ object: 'list' as const, data: [], has_more: true }), {})
  expect(await ids(listing)).toBe('')
})
