import { afterEach, describe, expect, it } from 'vitest'
import { codeUseKey } from '@penstock/domain/code.ts'
import { buyerUnitsId } from '@penstock/domain/customer.ts'
import { disputeKey } from '@penstock/domain/dispute.ts'
import { orderIdOf } from '@penstock/domain/order.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { lineRefundKey } from '@penstock/domain/refund.ts'
import { testDrop } from '@penstock/domain/test-drop.ts'
import { testHold } from '@penstock/domain/test-hold.ts'
import { FatalStoreError } from './store.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { OrderChange } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { RequestRecord, WorkingSet } from '@penstock/domain/working-set.ts'
import type { Committed, Store } from './store.ts'

/** A store on an empty database of its own, and what the suite needs besides the port. */
export interface StoreUnderTest {
  readonly store: Store
  /** Another writer on the same data. Those opened before are not closed: the suite closes them where it must. */
  readonly reopen: () => Store | Promise<Store>
  /** What the port only writes, in the order it was written (entries, events) or in any order (balances). */
  readonly readWritten: () => WrittenRows | Promise<WrittenRows>
  /** Closes what is open and removes the data. */
  readonly dispose: () => void | Promise<void>
}

export interface WrittenRows {
  readonly entries: readonly LedgerEntry[]
  readonly events: readonly OutboxEvent[]
  /** `account currency` → debits minus credits. */
  readonly balances: Readonly<Record<string, number>>
}

export type Decide = (set: WorkingSet, command: Command, nowMs: number) => Result

const nowMs = 1_700_000_000_000

/**
 * What every store must do, whatever is behind it (DESIGN.md section 3). `decide` is the engine's: this package may
 * not import it.
 */
export function storeContract(name: string, openStore: () => StoreUnderTest | Promise<StoreUnderTest>, decide: Decide) {
  describe(`${name} store contract`, () => {
    const opened: StoreUnderTest[] = []
    const open = async (): Promise<StoreUnderTest> => {
      const under = await openStore()
      opened.push(under)
      return under
    }
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.dispose()
    })

    checkCommits(open)
    checkFailures(open)
    checkWriters(open)
    checkRows(open)
    checkMoneyBounds(open)
    checkMoneyRows(open)
    checkLists(open)
    checkApiKeys(open)
    checkSale(open, decide)
  })
}

type Open = () => Promise<StoreUnderTest>

async function run<T>(store: Store, decideAll: (set: WorkingSet) => T, atMs = nowMs): Promise<Committed<T>> {
  return store.transact(atMs, decideAll)
}

async function read<T>(store: Store, look: (set: WorkingSet) => T): Promise<T> {
  const { value } = await run(store, look)
  return value
}

function checkCommits(open: Open): void {
  it('Store starts at commit 0 and time 0', async () => {
    const { store } = await open()
    expect([store.seq, store.lastNowMs]).toEqual([0, 0])
  })

  it('Store transact that changes nothing commits nothing and returns the value', async () => {
    const { store, reopen } = await open()
    await run(store, addDrop)
    const { value, seq, changes } = await run(
      store,
      (set) => [set.drops.find('drop_1')?.name, set.holds.find('none')],
      nowMs + 5,
    )
    expect(value).toEqual(['Shoe', undefined])
    expect([seq, store.seq, store.lastNowMs]).toEqual([1, 1, nowMs])
    expect(changes).toEqual({ skus: [], dropIds: [], apiKeysChanged: false })
    store.close()
    const again = await reopen()
    expect([again.seq, again.lastNowMs]).toEqual([1, nowMs])
  })

  it('Store transact raises seq by one for each batch with a change, however large, and keeps it', async () => {
    const { store, reopen } = await open()
    const first = await run(store, addDrop)
    expect([first.seq, store.seq]).toEqual([1, 1])
    const second = await run(
      store,
      (set) => {
        for (let index = 0; index < 100; index++) set.holds.insert(`hold_${index}`, hold({ id: `hold_${index}` }))
      },
      nowMs + 7,
    )
    expect([second.seq, store.seq, store.lastNowMs]).toEqual([2, 2, nowMs + 7])
    store.close()
    const again = await reopen()
    expect([again.seq, again.lastNowMs]).toEqual([2, nowMs + 7])
  })

  it('Store transact reports new drops and SKUs as changes', async () => {
    const { store } = await open()
    const { changes } = await run(store, addDrop)
    expect(changes).toEqual({
      skus: [sku({ id: 'sku_1' }), sku({ id: 'sku_2' })],
      dropIds: ['drop_1'],
      apiKeysChanged: false,
    })
  })

  it('Store transact reports moved counters without the drop, as they are at the end of the batch', async () => {
    const { store } = await open()
    await run(store, addDrop)
    const { changes } = await run(store, (set) => {
      set.skus.update('sku_2', sku({ id: 'sku_2', held: 1 }))
      set.skus.update('sku_2', sku({ id: 'sku_2', held: 2 }))
    })
    expect(changes).toEqual({ skus: [sku({ id: 'sku_2', held: 2 })], dropIds: [], apiKeysChanged: false })
  })

  it('Store transact reports a changed drop without its SKUs, and other rows not at all', async () => {
    const { store } = await open()
    await run(store, addDrop)
    const { changes } = await run(store, (set) => {
      set.drops.update('drop_1', drop({ phase: 'paused' }))
      set.holds.insert('hold_1', hold({}))
      set.buyers.insert('x', { id: 'x', units: 1 })
      set.payments.insert('manual/p', payment({ providerPaymentId: 'p' }))
    })
    expect(changes).toEqual({ skus: [], dropIds: ['drop_1'], apiKeysChanged: false })
  })
}

function checkFailures(open: Open): void {
  it('Store transact saves nothing when a decision throws, throws the same error, and goes on', async () => {
    const { store } = await open()
    await run(store, addDrop)
    const bug = new Error('a bug')
    const failing = run(store, (set) => {
      set.holds.insert('hold_1', hold({}))
      set.skus.update('sku_1', sku({ held: 1 }))
      set.drops.update('drop_1', drop({ name: 'Changed' }))
      throw bug
    })
    await expect(failing).rejects.toBe(bug)
    expect(store.seq).toBe(1)
    const next = await run(store, (set) => {
      const seen = [set.holds.find('hold_1'), set.skus.find('sku_1'), set.drops.find('drop_1')]
      set.holds.insert('hold_2', hold({ id: 'hold_2' }))
      return seen
    })
    expect(next.value).toEqual([undefined, sku({ id: 'sku_1' }), drop({})])
    expect(next.seq).toBe(2)
  })

  it.each<[string, (set: WorkingSet) => void]>([
    [
      'a payment that is there already under its natural key',
      (set) => set.payments.insert('manual/p', payment({ id: 'pay_2', providerPaymentId: 'p' })),
    ],
    ['a second hold with the id of another', (set) => set.holds.insert('hold_1', hold({}))],
    [
      'a second payment with the id of another',
      (set) => set.payments.insert('manual/q', payment({ providerPaymentId: 'q' })),
    ],
    ['an API key with the hash of another', (set) => set.apiKeys.insert('key_2', apiKey({ id: 'key_2' }))],
    ['more units held and sold than there are', (set) => set.skus.update('sku_1', sku({ held: 6, sold: 5 }))],
    ['fewer units held than none', (set) => set.skus.update('sku_1', sku({ held: -1 }))],
    ['fewer units sold than none', (set) => set.skus.update('sku_1', sku({ sold: -1 }))],
  ])('Store transact refuses %s, saves nothing of the batch and goes on', async (_, breakIt) => {
    const { store } = await open()
    await run(store, (set) => {
      addDrop(set)
      set.holds.insert('hold_1', hold({}))
      set.payments.insert('manual/p', payment({ providerPaymentId: 'p' }))
      set.apiKeys.insert('key_1', apiKey({}))
    })
    const failing = run(store, (set) => {
      set.holds.insert('hold_2', hold({ id: 'hold_2' }))
      set.skus.update('sku_2', sku({ id: 'sku_2', held: 1 }))
      breakIt(set)
    })
    const error: unknown = await failing.catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(FatalStoreError)
    expect(store.seq).toBe(1)
    const seen = await read(store, (set) => [
      set.holds.find('hold_2'),
      set.skus.find('sku_1'),
      set.skus.find('sku_2'),
      set.payments.find('manual/p')?.id,
    ])
    expect(seen).toEqual([undefined, sku({ id: 'sku_1' }), sku({ id: 'sku_2' }), 'pay_1'])
    expect((await run(store, (set) => set.holds.insert('hold_2', hold({ id: 'hold_2' })))).seq).toBe(2)
  })
}

function checkWriters(open: Open): void {
  it('Store epoch grows with every writer', async () => {
    const { store, reopen } = await open()
    const epochs = [store.epoch]
    store.close()
    for (let count = 0; count < 3; count++) {
      const next = await reopen()
      epochs.push(next.epoch)
      next.close()
    }
    expect(epochs).toEqual([1, 2, 3, 4])
  })

  it('Store transact of a writer that was replaced throws fenced and commits nothing', async () => {
    const { store: older, reopen } = await open()
    await run(older, addDrop)
    const newer = await reopen()
    await run(newer, (set) => set.skus.update('sku_1', sku({ held: 1 })))
    const attempt = async (): Promise<unknown> => {
      try {
        return await run(older, (set) => set.skus.update('sku_1', sku({ held: 9 })))
      } catch (error) {
        return error
      }
    }
    for (let count = 0; count < 2; count++) {
      const error = await attempt()
      expect(error).toBeInstanceOf(FatalStoreError)
      expect(error).toMatchObject({ code: 'fenced' })
    }
    // The newer one goes on where it was.
    const next = await run(newer, (set) => {
      const before = set.skus.find('sku_1')
      set.skus.update('sku_1', sku({ held: 2 }))
      return before
    })
    expect(next.value).toEqual(sku({ held: 1 }))
    expect(next.seq).toBe(3)
    older.close()
    newer.close()
    const last = await reopen()
    expect(last.seq).toBe(3)
    expect(await read(last, (set) => set.skus.find('sku_1'))).toEqual(sku({ held: 2 }))
  })
}

function checkRows(open: Open): void {
  it('Store gives every row back as it was saved, in the next batch and after a restart', async () => {
    const { store, reopen, readWritten } = await open()
    await run(store, insertSamples)
    expect(await read(store, findSamples)).toStrictEqual(samples)
    expect(await readWritten()).toEqual(savedRows)
    store.close()
    const again = await reopen()
    expect(await read(again, findSamples)).toStrictEqual(samples)
    expect(await readWritten()).toEqual(savedRows)
  })

  it('Store keeps metadata with keys that mean something to JavaScript', async () => {
    const { store, reopen } = await open()
    const json = '{"__proto__":"a","constructor":"b","toString":"c","1":"d","":"e","a.b":"f"}'
    const metadata = JSON.parse(json) as Record<string, string>
    await run(store, (set) => {
      set.drops.insert('drop_1', drop({ metadata, skuIds: [] }))
    })
    store.close()
    const again = await reopen()
    const found = await read(again, (set) => set.drops.find('drop_1')?.metadata)
    expect(JSON.stringify(found)).toBe(JSON.stringify(metadata))
  })

  it('Store saves changes of stored rows: of a drop all fields and new SKUs, of a SKU all, of a hold status and erasure, of an API key its end', async () => {
    const { store, reopen } = await open()
    await run(store, insertSamples)
    const [full, bare] = samples.drops
    if (full === undefined || bare === undefined) throw new Error('two samples are needed')
    const swapped: Drop = { ...full, id: bare.id, skuIds: [...bare.skuIds, 'sku_new'] }
    const newSku = sku({ id: 'sku_new', dropId: bare.id })
    const changedSku = sku({
      id: 'sku_1',
      dropId: full.id,
      name: 'Other',
      unitAmountMinor: 7,
      stock: 90,
      maxPerOrder: 2,
      held: 3,
      sold: 4,
    })
    const statuses = ['captured', 'released', 'expired'] as const
    const erased = { ...sampleHold(3), customer: { countedIn: ['drop_full email:x', 'drop_full phone:y'] } }
    const holds = [...statuses.map((status, index) => ({ ...sampleHold(index), status })), erased]
    const [buyer] = samples.buyers
    const changedKey = apiKey({ ...samples.apiKeys[0], expiresMs: null, revokedMs: 5, lastUsedMs: 6 })
    await run(store, (set) => {
      set.drops.update(bare.id, swapped)
      set.skus.insert(newSku.id, newSku)
      set.skus.update('sku_1', changedSku)
      for (const row of holds) set.holds.update(row.id, row)
      set.buyers.update(buyer?.id ?? '', { id: buyer?.id ?? '', units: 0 })
      set.apiKeys.update(changedKey.id, changedKey)
    })
    const look = (set: WorkingSet) => [
      set.drops.find(bare.id),
      set.drops.find(full.id),
      set.skus.find('sku_new'),
      set.skus.find('sku_1'),
      ...holds.map(({ id }) => set.holds.find(id)),
      set.buyers.find(buyer?.id ?? ''),
      set.apiKeys.find('key_full'),
    ]
    const expected = [swapped, full, newSku, changedSku, ...holds, { id: buyer?.id, units: 0 }, changedKey]
    expect(await read(store, look)).toStrictEqual(expected)
    store.close()
    expect(await read(await reopen(), look)).toStrictEqual(expected)
  })
}

function checkMoneyBounds(open: Open): void {
  it.each<[string, (set: WorkingSet) => void]>([
    [
      'more money given back than came',
      (set) =>
        set.payments.update('manual/p', payment({ providerPaymentId: 'p', refundedMinor: 60, disputedMinor: 41 })),
    ],
    [
      'more money lost than disputed',
      (set) => set.payments.update('manual/p', payment({ providerPaymentId: 'p', disputedMinor: 1, lostMinor: 2 })),
    ],
    [
      'more units refunded than paid',
      (set) => set.lineRefunds.insert('ord_1 sku_1', lineRefund({ refundedQuantity: 4 })),
    ],
    [
      'more units restocked than refunded',
      (set) => set.lineRefunds.insert('ord_1 sku_1', lineRefund({ restockedQuantity: 3 })),
    ],
  ])('Store transact refuses %s and saves nothing of the batch', async (_, breakIt) => {
    const { store } = await open()
    await run(store, (set) => set.payments.insert('manual/p', payment({ providerPaymentId: 'p' })))
    const failing = run(store, (set) => {
      set.holds.insert('hold_2', hold({ id: 'hold_2' }))
      breakIt(set)
    })
    const error: unknown = await failing.catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(FatalStoreError)
    expect(await read(store, (set) => [set.holds.find('hold_2'), set.payments.find('manual/p')])).toEqual([
      undefined,
      payment({ providerPaymentId: 'p' }),
    ])
  })
}

function checkMoneyRows(open: Open): void {
  it('Store saves what became of payments, orders, refunds and disputes', async () => {
    const { store, reopen } = await open()
    const before = {
      payment: payment({ orderId: null, status: 'unmatched', reason: 'unknown_hold' }),
      change: orderChange({}),
      refund: refund({}),
      lineRefund: lineRefund({}),
      dispute: dispute({}),
    }
    const after = {
      payment: payment({ attachedHoldId: 'hold_2', refundedMinor: 60, disputedMinor: 40, lostMinor: 10 }),
      change: orderChange({ cancelledMs: nowMs, fulfilledMs: nowMs + 1 }),
      refund: refund({ status: 'failed', settledMs: nowMs + 2 }),
      lineRefund: lineRefund({ refundedQuantity: 3, restockedQuantity: 3 }),
      dispute: dispute({ status: 'lost', closedMs: nowMs + 3 }),
    }
    await run(store, (set) => {
      set.payments.insert('manual/p_1', before.payment)
      set.orderChanges.insert('pay_1', before.change)
      set.refunds.insert('rfnd_1', before.refund)
      set.lineRefunds.insert('ord_1 sku_1', before.lineRefund)
      set.disputes.insert('manual/d_1', before.dispute)
    })
    const look = (set: WorkingSet) => ({
      payment: set.payments.find('manual/p_1'),
      change: set.orderChanges.find('pay_1'),
      refund: set.refunds.find('rfnd_1'),
      lineRefund: set.lineRefunds.find('ord_1 sku_1'),
      dispute: set.disputes.find('manual/d_1'),
    })
    expect(await read(store, look)).toStrictEqual(before)
    await run(store, (set) => {
      set.payments.update('manual/p_1', after.payment)
      set.orderChanges.update('pay_1', after.change)
      set.refunds.update('rfnd_1', after.refund)
      set.lineRefunds.update('ord_1 sku_1', after.lineRefund)
      set.disputes.update('manual/d_1', after.dispute)
    })
    expect(await read(store, look)).toStrictEqual(after)
    store.close()
    expect(await read(await reopen(), look)).toStrictEqual(after)
  })

  it('Store finds the keys of payments and disputes by their ids, in the batch that made them and later', async () => {
    const { store } = await open()
    const look = (set: WorkingSet) => [
      set.findPaymentKey('pay_1'),
      set.findPaymentKey('pay_none'),
      set.findDisputeKey('dsp_1'),
      set.findDisputeKey('dsp_none'),
    ]
    const { value } = await run(store, (set) => {
      set.payments.insert('manual/p_1', payment({}))
      set.disputes.insert('manual/d_1', dispute({}))
      return look(set)
    })
    expect(value).toEqual(['manual/p_1', undefined, 'manual/d_1', undefined])
    expect(await read(store, look)).toEqual(value)
  })
}

function checkLists(open: Open): void {
  it('Store saves a row that was inserted and changed in one batch as it was last', async () => {
    const { store } = await open()
    await run(store, (set) => {
      set.holds.insert('hold_1', hold({}))
      set.holds.update('hold_1', hold({ status: 'released' }))
    })
    expect(await read(store, (set) => set.holds.find('hold_1'))).toEqual(hold({ status: 'released' }))
  })

  it('Store adds every entry of a batch to its balances, and those of later batches', async () => {
    const { store, readWritten } = await open()
    const post = (credit: string, amountMinor: number, currency: 'usd' | 'jpy' = 'usd'): Promise<unknown> =>
      run(store, (set) => set.ledger.append(entry({ credit, amountMinor, currency })))
    await run(store, (set) => {
      for (let index = 1; index <= 40; index++) set.ledger.append(entry({ amountMinor: index }))
    })
    await post('refunds_due', 5)
    await post('sales', 1_000, 'jpy')
    const { entries, balances } = await readWritten()
    expect(entries).toHaveLength(42)
    expect(entries.slice(0, 40).map(({ amountMinor }) => amountMinor)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
    expect(balances).toEqual({
      'cash:manual usd': 825,
      'sales usd': -820,
      'refunds_due usd': -5,
      'cash:manual jpy': 1_000,
      'sales jpy': -1_000,
    })
  })

  it('Store listHoldsDue gives active holds at or past their deadline, oldest first, at most so many', async () => {
    const { store } = await open()
    const deadlines: readonly (readonly [string, number, Hold['status']])[] = [
      ['hold_late', nowMs + 1, 'active'],
      ['hold_now', nowMs, 'active'],
      ['hold_old', nowMs - 2_000, 'active'],
      ['hold_oldest', nowMs - 3_000, 'active'],
      ['hold_paid', nowMs - 9_000, 'captured'],
      ['hold_gone', nowMs - 9_000, 'released'],
      ['hold_past', nowMs - 9_000, 'expired'],
      ['hold_b', nowMs - 1_000, 'active'],
      ['hold_a', nowMs - 1_000, 'active'],
    ]
    await run(store, (set) => {
      for (const [id, expiresMs, status] of deadlines) set.holds.insert(id, hold({ id, expiresMs, status }))
    })
    const due = ['hold_oldest', 'hold_old', 'hold_a', 'hold_b', 'hold_now']
    expect(await read(store, (set) => set.listHoldsDue(nowMs, 100))).toEqual(due)
    expect(await read(store, (set) => set.listHoldsDue(nowMs, 3))).toEqual(due.slice(0, 3))
    expect(await read(store, (set) => set.listHoldsDue(nowMs - 2_001, 100))).toEqual(['hold_oldest'])
    expect(await read(store, (set) => set.listHoldsDue(nowMs - 3_001, 100))).toEqual([])
    // A hold ended in this very batch is no longer due; one ended in an earlier batch neither.
    const { value } = await run(store, (set) => {
      set.holds.update('hold_old', hold({ id: 'hold_old', expiresMs: nowMs - 2_000, status: 'captured' }))
      return set.listHoldsDue(nowMs, 2)
    })
    expect(value).toEqual(['hold_oldest', 'hold_a'])
    expect(await read(store, (set) => set.listHoldsDue(nowMs, 2))).toEqual(['hold_oldest', 'hold_a'])
  })
}

function checkApiKeys(open: Open): void {
  it('Store transact reports that API keys changed', async () => {
    const { store } = await open()
    const insert = await run(store, (set) => set.apiKeys.insert('key_1', apiKey({})))
    const update = await run(store, (set) => set.apiKeys.update('key_1', apiKey({ lastUsedMs: nowMs })))
    for (const { changes } of [insert, update]) expect(changes).toEqual({ skus: [], dropIds: [], apiKeysChanged: true })
  })

  it('Store listSecretKeys gives secret keys that are not revoked, expired ones too', async () => {
    const { store, reopen } = await open()
    const keys: readonly (readonly [string, Partial<ApiKey>])[] = [
      ['key_plain', {}],
      ['key_revoked', { revokedMs: 1 }],
      ['key_expired', { expiresMs: 1 }],
      ['key_browser', { kind: 'publishable', scopes: [] }],
    ]
    const ids = (set: WorkingSet): string[] =>
      set
        .listSecretKeys()
        .map(({ id }) => id)
        .toSorted()
    const { value } = await run(store, (set) => {
      for (const [id, change] of keys) set.apiKeys.insert(id, apiKey({ id, secretHash: id, ...change }))
      return ids(set)
    })
    expect(value).toEqual(['key_expired', 'key_plain'])
    await run(store, (set) => set.apiKeys.update('key_plain', apiKey({ id: 'key_plain', revokedMs: nowMs })))
    expect(await read(store, ids)).toEqual(['key_expired'])
    store.close()
    expect(await read(await reopen(), ids)).toEqual(['key_expired'])
  })
}

function checkSale(open: Open, decide: Decide): void {
  it('Store carries a sale: hold, payment, limit, replay after a restart', async () => {
    const { store, reopen, readWritten } = await open()
    const decideOn = async (on: Store, ...commands: readonly Command[]): Promise<Result[]> => {
      const { value } = await run(on, (set) => commands.map((command) => decide(set, command, nowMs)))
      return value
    }
    await decideOn(store, ...openingCommands)
    const first = await decideOn(store, claim('1'), claim('2'), pay('1'), pay('1'))
    expect(first).toMatchObject([
      { outcome: 'hold_created' },
      { outcome: 'limit_reached' },
      { outcome: 'payment_recorded', replayed: false, payment: { status: 'captured' } },
      { outcome: 'payment_recorded', replayed: true, payment: { status: 'captured' } },
    ])
    store.close()
    const again = await reopen()
    const replayed = await decideOn(again, claim('1'), claim('2'), pay('1'))
    expect(replayed).toStrictEqual([{ ...first[0], replayed: true }, first[1], first[3]])
    expect(again.seq).toBe(2)
    expect(await read(again, (set) => set.skus.find('sku_1'))).toMatchObject({ stock: 10, held: 0, sold: 1 })
    const money = await readWritten()
    expect(await read(again, (set) => set.findOrderPaymentKey('ord_1'))).toBe('manual/1')
    expect(money.balances).toEqual({ 'cash:manual usd': 100, 'sales usd': -100 })
  })
}

const openingCommands: readonly Command[] = [
  {
    kind: 'create_drop',
    key: null,
    dropId: 'drop_1',
    name: 'Shoe',
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: null,
    endsAtMs: null,
    holdTtlMs: 600_000,
    maxPerCustomer: 1,
    latePayment: 'reacquire',
    fees: [],
    metadata: {},
    skus: [{ id: 'sku_1', name: 'Shoe', unitAmountMinor: 100, stock: 10, maxPerOrder: null }],
  },
  { kind: 'change_drop_phase', key: null, dropId: 'drop_1', action: 'publish' },
]

function claim(id: string): Command {
  return {
    kind: 'create_hold',
    key: { id: `claim ${id}`, fingerprint: 'f' },
    holdId: `hold_${id}`,
    clientSecret: 'cs',
    dropId: 'drop_1',
    lines: [{ skuId: 'sku_1', quantity: 1 }],
    customer: { email: 'ann@example.com', phone: '+1', externalId: null, name: 'Ann', shippingAddress: null },
    replace: null,
  }
}

function pay(id: string): Command {
  return {
    kind: 'capture_payment',
    key: { id: `pay ${id}`, fingerprint: 'f' },
    paymentId: `pay_${id}`,
    holdId: `hold_${id}`,
    provider: 'manual',
    providerPaymentId: id,
    amountMinor: 100,
    currency: 'usd',
  }
}

function drop(change: Partial<Drop>): Drop {
  return testDrop({
    name: 'Shoe',
    startsAtMs: nowMs,
    endsAtMs: null,
    createdMs: nowMs,
    skuIds: ['sku_1', 'sku_2'],
    ...change,
  })
}

function sku(change: Partial<Sku>): Sku {
  return {
    id: 'sku_1',
    name: 'Size',
    unitAmountMinor: 100,
    stock: 10,
    maxPerOrder: null,
    dropId: 'drop_1',
    held: 0,
    sold: 0,
    ...change,
  }
}

function hold(change: Partial<Hold>): Hold {
  return testHold({ createdMs: nowMs, expiresMs: nowMs + 600_000, ...change })
}

function payment(change: Partial<Payment>): Payment {
  const id = change.id ?? 'pay_1'
  return {
    id,
    provider: 'manual',
    providerPaymentId: 'p_1',
    holdId: 'hold_1',
    orderId: orderIdOf(id),
    amountMinor: 100,
    currency: 'usd',
    status: 'captured',
    reason: null,
    createdMs: nowMs,
    attachedHoldId: null,
    refundedMinor: 0,
    disputedMinor: 0,
    lostMinor: 0,
    ...change,
  }
}

function orderChange(change: Partial<OrderChange>): OrderChange {
  return { paymentId: 'pay_1', createdMs: null, cancelledMs: null, fulfilledMs: null, ...change }
}

function refund(change: Partial<Refund>): Refund {
  return {
    id: 'rfnd_1',
    paymentId: 'pay_1',
    orderId: 'ord_1',
    amountMinor: 100,
    currency: 'usd',
    lines: [{ skuId: 'sku_1', quantity: 1 }],
    restock: false,
    reason: null,
    createdMs: nowMs,
    status: 'pending',
    settledMs: null,
    ...change,
  }
}

function lineRefund(change: Partial<LineRefund>): LineRefund {
  return {
    orderId: 'ord_1',
    skuId: 'sku_1',
    paidQuantity: 3,
    refundedQuantity: 2,
    restockedQuantity: 1,
    ...change,
  }
}

function dispute(change: Partial<Dispute>): Dispute {
  return {
    id: 'dsp_1',
    paymentId: 'pay_1',
    provider: 'manual',
    providerDisputeId: 'd_1',
    amountMinor: 100,
    currency: 'usd',
    reason: null,
    createdMs: nowMs,
    status: 'open',
    closedMs: null,
    ...change,
  }
}

function entry(change: Partial<LedgerEntry>): LedgerEntry {
  return {
    paymentId: 'pay_1',
    debit: 'cash:manual',
    credit: 'sales',
    amountMinor: 100,
    currency: 'usd',
    createdMs: nowMs,
    causeId: null,
    ...change,
  }
}

function apiKey(change: Partial<ApiKey>): ApiKey {
  return {
    id: 'key_1',
    kind: 'secret',
    name: null,
    scopes: ['*'],
    secretHash: 'aa',
    hint: 'sk_test_…wxyz',
    createdMs: nowMs,
    expiresMs: null,
    revokedMs: null,
    lastUsedMs: null,
    ...change,
  }
}

function addDrop(set: WorkingSet): void {
  set.drops.insert('drop_1', drop({}))
  for (const id of ['sku_1', 'sku_2']) set.skus.insert(id, sku({ id }))
}

/** Enough rows of a kind that bulk inserts have full groups and a rest. */
const manyRows = 37

const hostileText = `Ünïcode 東京 👟 'quote' "double" \\ back\nnew\ttab \u{10ffff} ' OR 1=1 --`

function sampleHold(index: number): Hold {
  const id = `hold_${String(index).padStart(3, '0')}`
  if (index !== 0) return hold({ id, clientSecret: `cs_${index}` })
  return hold({
    id,
    lines: [
      { skuId: 'sku_1', quantity: 3, unitAmountMinor: 0 },
      { skuId: 'sku_2', quantity: 1_000, unitAmountMinor: 1_000_000_000_000 },
      { skuId: 'sku_1', quantity: 1, unitAmountMinor: 5 },
    ],
    fees: [
      { name: hostileText, kind: 'shipping', amountMinor: 0 },
      { name: '', kind: 'tax', amountMinor: 1_000_000_000_000 },
    ],
    amountMinor: Number.MAX_SAFE_INTEGER,
    currency: 'jpy',
    customer: {
      email: hostileText,
      phone: '',
      externalId: hostileText,
      name: '',
      shippingAddress: { line1: hostileText, line2: '', city: 'Huế', state: null, postalCode: null, country: 'VN' },
    },
  })
}

const samples = {
  drops: [
    drop({
      id: 'drop_full',
      name: hostileText,
      description: '',
      image: 'https://example.com/a.png',
      currency: 'jpy',
      startsAtMs: 0,
      endsAtMs: 100_000_000_000_000,
      holdTtlMs: 1,
      maxPerCustomer: 8_000,
      latePayment: 'refund',
      fees: [
        { name: hostileText, kind: 'shipping', amountMinor: 1_000_000_000_000, basisPoints: null },
        { name: '', kind: 'service', amountMinor: null, basisPoints: 0 },
      ],
      metadata: { [hostileText]: hostileText, ' ': '', ключ: '値', 'a"b': '{}' },
      phase: 'paused',
      skuIds: ['sku_2', 'sku_1', 'sku_0'],
    }),
    drop({ id: 'drop_bare', phase: 'draft', skuIds: ['sku_3'] }),
    drop({ id: 'drop_ended', phase: 'ended', skuIds: [] }),
    drop({ id: 'drop_cancelled', phase: 'cancelled', skuIds: [] }),
  ],
  // In another order than the drop lists them.
  skus: [
    sku({ id: 'sku_0', dropId: 'drop_full', name: hostileText, unitAmountMinor: 0, stock: 0, maxPerOrder: 8_000 }),
    sku({ id: 'sku_1', dropId: 'drop_full', stock: 100_000_000, held: 99_999_999, sold: 1 }),
    sku({ id: 'sku_2', dropId: 'drop_full', unitAmountMinor: 1_000_000_000_000, name: '' }),
    sku({ id: 'sku_3', dropId: 'drop_bare', sold: 10 }),
  ],
  holds: Array.from({ length: manyRows }, (_, index) => sampleHold(index)),
  payments: [
    payment({ id: 'pay_a' }),
    payment({ id: 'pay_b', provider: 'stripe' }),
    payment({ id: 'pay_c', providerPaymentId: 'with/slash', orderId: null, status: 'refund_due', reason: 'sold_out' }),
    payment({
      id: 'pay_d',
      providerPaymentId: hostileText,
      orderId: null,
      status: 'unmatched',
      reason: 'unknown_hold',
    }),
    payment({ id: 'pay_f', providerPaymentId: 'f', refundedMinor: 30, disputedMinor: 70, lostMinor: 20 }),
    payment({ id: 'pay_g', providerPaymentId: 'g', holdId: 'hold_unknown', attachedHoldId: 'hold_1' }),
    payment({ id: 'pay_e', providerPaymentId: '', amountMinor: Number.MAX_SAFE_INTEGER, currency: 'kwd' }),
    ...Array.from({ length: manyRows }, (_, index) =>
      payment({ id: `pay_${index}`, providerPaymentId: `many_${index}`, amountMinor: index }),
    ),
  ],
  orderChanges: [
    orderChange({ paymentId: 'pay_g', createdMs: nowMs + 1 }),
    ...Array.from({ length: manyRows }, (_, index) =>
      orderChange({
        paymentId: `pay_${index}`,
        cancelledMs: index % 2 === 1 ? nowMs + 1 : null,
        fulfilledMs: index % 2 === 0 ? nowMs + 2 : null,
      }),
    ),
  ],
  refunds: [
    refund({ id: 'rfnd_a', reason: hostileText, restock: true, status: 'succeeded', settledMs: nowMs + 1 }),
    refund({ id: 'rfnd_b', orderId: null, lines: [], amountMinor: Number.MAX_SAFE_INTEGER, currency: 'jpy' }),
    refund({ id: 'rfnd_c', reason: '', amountMinor: 0, status: 'failed', settledMs: 0 }),
    ...Array.from({ length: manyRows }, (_, index) => refund({ id: `rfnd_${index}`, amountMinor: index })),
  ],
  lineRefunds: [
    lineRefund({}),
    lineRefund({ skuId: 'sku_2', refundedQuantity: 0, restockedQuantity: 0 }),
    ...Array.from({ length: manyRows }, (_, index) =>
      lineRefund({ orderId: `ord_many_${index}`, paidQuantity: index + 2 }),
    ),
  ],
  disputes: [
    dispute({ id: 'dsp_a', reason: hostileText, status: 'won', closedMs: nowMs + 1 }),
    dispute({ id: 'dsp_b', providerDisputeId: 'with/slash and space', status: 'lost', closedMs: 0 }),
    dispute({ id: 'dsp_c', provider: 'stripe', amountMinor: Number.MAX_SAFE_INTEGER, currency: 'kwd' }),
    ...Array.from({ length: manyRows }, (_, index) =>
      dispute({ id: `dsp_${index}`, providerDisputeId: `many_${index}` }),
    ),
  ],
  buyers: Array.from({ length: manyRows }, (_, index) => ({
    id: buyerUnitsId('drop_full', `email:${index} ${hostileText}`),
    units: index,
  })),
  codeUses: Array.from({ length: manyRows }, (_, unit) => ({ orderId: 'ord_000', unit, usedMs: nowMs + unit })),
  requests: [
    request('r_hold', { kind: 'hold', holdId: 'hold_000' }),
    request('r_payment', { kind: 'payment', paymentKey: 'manual/with/slash' }),
    request('r_result', { kind: 'result', json: JSON.stringify({ outcome: 'drop_saved', name: hostileText }) }),
    ...Array.from({ length: manyRows }, (_, index) => request(`r_${index}`, { kind: 'hold', holdId: `h${index}` })),
  ],
  apiKeys: [
    apiKey({
      id: 'key_full',
      name: hostileText,
      scopes: ['drops:read', 'orders:write'],
      expiresMs: nowMs + 1,
      revokedMs: nowMs,
      lastUsedMs: nowMs - 1,
    }),
    apiKey({ id: 'key_bare', secretHash: 'bb' }),
    apiKey({ id: 'key_browser', kind: 'publishable', scopes: [], secretHash: 'cc', hint: 'pk_test_…0000' }),
  ],
}

function request(id: string, answer: RequestRecord['answer']): RequestRecord {
  return { id, fingerprint: `print of ${id}`, createdMs: nowMs, lasting: id === 'r_result', answer }
}

const sampleEntries = Array.from({ length: manyRows }, (_, index) =>
  entry({
    paymentId: `pay_${index}`,
    credit: index % 2 === 0 ? 'sales' : 'refunds_due',
    amountMinor: 2 ** index,
    causeId: index % 4 === 1 ? `rfnd_${index}` : null,
  }),
)

const sampleEvents = Array.from({ length: manyRows }, (_, index): OutboxEvent => {
  return { type: 'payment.captured', objectId: `pay_${index}`, createdMs: nowMs + index }
})

const savedRows: WrittenRows = {
  entries: sampleEntries,
  events: sampleEvents,
  balances: foldEntries(sampleEntries),
}

/** Balances from entries, for those who check that a store keeps them. */
export function foldEntries(entries: readonly LedgerEntry[]): Record<string, number> {
  const balances: Record<string, number> = {}
  for (const { debit, credit, amountMinor, currency } of entries) {
    balances[`${debit} ${currency}`] = (balances[`${debit} ${currency}`] ?? 0) + amountMinor
    balances[`${credit} ${currency}`] = (balances[`${credit} ${currency}`] ?? 0) - amountMinor
  }
  return balances
}

function insertSamples(set: WorkingSet): void {
  for (const row of samples.drops) set.drops.insert(row.id, row)
  for (const row of samples.skus) set.skus.insert(row.id, row)
  // Backwards, so that an order that only sorting gives is not there by accident.
  for (const row of samples.holds.toReversed()) set.holds.insert(row.id, row)
  for (const row of samples.payments) set.payments.insert(paymentKey(row.provider, row.providerPaymentId), row)
  for (const row of samples.buyers.toReversed()) set.buyers.insert(row.id, row)
  for (const row of samples.codeUses) set.codeUses.insert(codeUseKey(row.orderId, row.unit), row)
  for (const row of samples.requests) set.requests.insert(row.id, row)
  for (const row of samples.apiKeys) set.apiKeys.insert(row.id, row)
  for (const row of samples.orderChanges) set.orderChanges.insert(row.paymentId, row)
  for (const row of samples.refunds) set.refunds.insert(row.id, row)
  for (const row of samples.lineRefunds) set.lineRefunds.insert(lineRefundKey(row.orderId, row.skuId), row)
  for (const row of samples.disputes) set.disputes.insert(disputeKey(row.provider, row.providerDisputeId), row)
  for (const row of sampleEntries) set.ledger.append(row)
  for (const row of sampleEvents) set.events.append(row)
}

function findSamples(set: WorkingSet) {
  return {
    drops: samples.drops.map(({ id }) => set.drops.find(id)),
    skus: samples.skus.map(({ id }) => set.skus.find(id)),
    holds: samples.holds.map(({ id }) => set.holds.find(id)),
    payments: samples.payments.map((row) => set.payments.find(paymentKey(row.provider, row.providerPaymentId))),
    orderChanges: samples.orderChanges.map(({ paymentId }) => set.orderChanges.find(paymentId)),
    refunds: samples.refunds.map(({ id }) => set.refunds.find(id)),
    lineRefunds: samples.lineRefunds.map((row) => set.lineRefunds.find(lineRefundKey(row.orderId, row.skuId))),
    disputes: samples.disputes.map((row) => set.disputes.find(disputeKey(row.provider, row.providerDisputeId))),
    buyers: samples.buyers.map(({ id }) => set.buyers.find(id)),
    codeUses: samples.codeUses.map((row) => set.codeUses.find(codeUseKey(row.orderId, row.unit))),
    requests: samples.requests.map(({ id }) => set.requests.find(id)),
    apiKeys: samples.apiKeys.map(({ id }) => set.apiKeys.find(id)),
  }
}
