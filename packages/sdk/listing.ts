/** One page of a list, newest first. */
export interface ListPage<Item> {
  readonly object: 'list'
  readonly data: readonly Item[]
  /** Whether more follow in the direction that was asked for. */
  readonly has_more: boolean
}

/** What every list takes. `starting_after` and `ending_before` are ids of listed objects and exclude each other. */
export interface ListParams {
  /** Items of a page: 1 to 100. When absent, `page` gets 10, and iteration asks for 100 at a time. */
  readonly limit?: number | undefined
  /** Only what is older than this object. */
  readonly starting_after?: string | undefined
  /** Only what is newer than this object. */
  readonly ending_before?: string | undefined
}

/** The time an object was made, Unix seconds, both bounds included. */
export interface CreatedParams {
  readonly created_from?: number | undefined
  readonly created_to?: number | undefined
}

export interface Listed {
  readonly id: string
}

const iteratedPageSize = 100

/**
 * A list that has not been read yet. `for await` reads all of it, page by page and newest first (oldest first with
 * `ending_before`, away from that object); `page` reads one page. Both may be done again, and then ask the server again.
 */
export class Listing<Item extends Listed> implements AsyncIterable<Item> {
  readonly #readPage: (params: ListParams) => Promise<ListPage<Item>>
  readonly #params: ListParams

  constructor(readPage: (params: ListParams) => Promise<ListPage<Item>>, params: ListParams) {
    this.#readPage = readPage
    this.#params = params
  }

  /** The first page. */
  page(): Promise<ListPage<Item>> {
    return this.#readPage(this.#params)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    const { limit = iteratedPageSize, starting_after: startingAfter, ending_before: endingBefore } = this.#params
    const isForward = endingBefore === undefined
    let cursor = isForward ? startingAfter : endingBefore
    for (;;) {
      const place = isForward ? { starting_after: cursor } : { ending_before: cursor }
      const { data, has_more: hasMore } = await this.#readPage({ ...this.#params, limit, ...place })
      yield* isForward ? data : [...data].reverse()
      const last = isForward ? data.at(-1) : data[0]
      if (!hasMore || last === undefined) return
      cursor = last.id
    }
  }
}
