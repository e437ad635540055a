import { readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { firstPlace } from '@penstock/store/provider-queries.ts'
import { testSignatureHeader } from '@penstock/providers/test-provider.ts'
import { signBody } from '@penstock/providers/webhook-signature.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { SqliteProviderQueries } from '@penstock/store-sqlite/sqlite-provider-queries.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { StripeStub } from '../stripe-stub.ts'
import { expectStatus, openDrop, poll, takeHold } from './shop.ts'
import type { WireDrop, WireEvent, WireHold, WireList, WirePayment, WireRefund } from '../wire-types.ts'

/** What the courier asks providers, in whole boxes: refunds, and payments whose webhook never came. */

const stripeSecret = 'whsec_0123456789abcdefghij'
const testSecret = 'test_0123456789abcdefghijkl'
const quick = {
  PENSTOCK_TEST_WEBHOOK_SECRET: testSecret,
  PENSTOCK_PROVIDER_RETRY_DELAYS: '0.05,0.1',
  PENSTOCK_RECONCILE_AGES: '0.1,0.2',
}

/** A box, its clients, and what happens at the providers. */
class Shop {
  readonly box: Box
  readonly seller: Client
  readonly visitor: Client

  constructor(box: Box) {
    this.box = box
    const session = { seq: 0 }
    this.seller = new Client(box.url, box.secretKey, { session })
    this.visitor = new Client(box.url, '', { session, connections: 0 })
  }

  static async open(environment: Readonly<Record<string, string>> = {}): Promise<Shop> {
    return new Shop(await Box.start({ httpProcesses: 1, environment: { ...quick, ...environment } }))
  }

  /** The books must be in order at the end of everything. */
  async close(): Promise<void> {
    const findings = auditDatabase(this.box.databasePath)
    this.seller.close()
    this.visitor.close()
    await this.box.stop()
    expect(findings).toEqual([])
  }

  /** A payment of `hold` at the test provider, and the buttons of its page. */
  async checkout(hold: WireHold): Promise<(form: Record<string, string>) => Promise<void>> {
    const asked = await this.seller.post<{ url: string }>(`/v1/holds/${hold.id}/checkout`, { provider: 'test' })
    const path = expectStatus(asked, 201).body.url.slice(this.box.url.length)
    return async (form) => {
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      expectStatus(await this.visitor.send('POST', path, new URLSearchParams(form).toString(), type), 200)
    }
  }

  /** A provider reports money; one cent too much, so that there are no goods for it. */
  async sendWrongMoney(hold: WireHold, provider: 'test' | 'stripe', paymentId: string): Promise<void> {
    const amount = hold.amount + 1
    const { currency } = hold
    const data =
      provider === 'test'
        ? { payment: paymentId, hold: hold.id, amount, currency }
        : { object: { id: paymentId, amount_received: amount, currency, metadata: { penstock_hold: hold.id } } }
    const type = provider === 'test' ? 'payment.captured' : 'payment_intent.succeeded'
    const body = JSON.stringify({ id: `evt_${paymentId}`, type, created: 1_800_000_000, data })
    const [header, secret] =
      provider === 'test' ? [testSignatureHeader, testSecret] : ['stripe-signature', stripeSecret]
    const signature = { [header]: signBody(body, secret, Date.now()) }
    const { body: taken } = expectStatus(
      await this.visitor.send<{ outcome: string }>('POST', `/v1/webhooks/${provider}`, body, signature),
      200,
    )
    expect(taken.outcome).toBe('refund_due')
  }

  async sendStripe(type: string, object: { readonly id: string }): Promise<void> {
    const body = JSON.stringify({ id: `evt_${object.id}`, type, created: 1_800_000_000, data: { object } })
    const signature = { 'stripe-signature': signBody(body, stripeSecret, Date.now()) }
    expectStatus(await this.visitor.send('POST', '/v1/webhooks/stripe', body, signature), 200)
  }

  async paymentsOf(hold: WireHold): Promise<readonly WirePayment[]> {
    return expectStatus(await this.seller.get<WireList<WirePayment>>(`/v1/payments?hold=${hold.id}`), 200).body.data
  }

  async payments(filter: string): Promise<readonly WirePayment[]> {
    return expectStatus(await this.seller.get<WireList<WirePayment>>(`/v1/payments?limit=100&${filter}`), 200).body.data
  }

  async refunds(filter = ''): Promise<readonly WireRefund[]> {
    return expectStatus(await this.seller.get<WireList<WireRefund>>(`/v1/refunds?limit=100&${filter}`), 200).body.data
  }

  async status(hold: WireHold): Promise<string> {
    return expectStatus(await this.seller.get<WireHold>(`/v1/holds/${hold.id}`), 200).body.status
  }

  /** The books of the test provider. */
  bookOf(type: string): readonly Readonly<Record<string, unknown>>[] {
    const path = join(this.box.dataFolder, 'test-provider.ndjson')
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
    // What follows the last line break is being written.
    return lines
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { type: string; data: Record<string, unknown> })
      .flatMap((event) => (event.type === type ? [event.data] : []))
  }

  isOpenCheckout(hold: WireHold): boolean {
    const queries = new SqliteProviderQueries(this.box.databasePath)
    try {
      const open = queries.listOpenCheckouts('test', firstPlace, Number.MAX_SAFE_INTEGER, 10_000)
      return open.some(({ holdId }) => holdId === hold.id)
    } finally {
      queries.close()
    }
  }
}

describe('payments whose webhooks are all lost', () => {
  let shop: Shop
  let drop: WireDrop
  beforeAll(async () => {
    shop = await Shop.open({ PENSTOCK_AUTO_REFUND: '0' })
    drop = await openDrop(shop.seller)
  }, 30_000)
  afterAll(() => shop.close())

  const closed = (hold: WireHold) => poll('the checkout is closed', 10_000, () => !shop.isOpenCheckout(hold))

  it('become orders all the same, and are not asked about any more', async () => {
    const hold = await takeHold(shop.seller, drop)
    const press = await shop.checkout(hold)
    await press({ action: 'succeed', loss: '100' })
    await closed(hold)
    expect(await shop.paymentsOf(hold)).toMatchObject([{ status: 'captured', provider: 'test' }])
  })

  it('are found by the next courier when the first is killed', async () => {
    const holds = await Promise.all(Array.from({ length: 10 }, () => takeHold(shop.seller, drop)))
    for (const hold of holds) await (await shop.checkout(hold))({ action: 'succeed', loss: '100' })
    await shop.box.killCourier()
    for (const hold of holds) {
      await closed(hold)
      expect(await shop.paymentsOf(hold)).toMatchObject([{ status: 'captured' }])
    }
  })

  it('give the units back when they were cancelled', async () => {
    const hold = await takeHold(shop.seller, drop)
    const press = await shop.checkout(hold)
    await press({ action: 'cancel', loss: '100' })
    await poll('the hold is released', 10_000, async () => (await shop.status(hold)) === 'released')
    await closed(hold)
  })

  it('are left alone while the buyer may still pay, and cancelled at the provider when the hold has ended', async () => {
    const hold = await takeHold(shop.seller, drop)
    await shop.checkout(hold)
    const brief = await takeHold(shop.seller, await openDrop(shop.seller, { hold_ttl: 1 }))
    await shop.checkout(brief)
    await closed(brief)
    expect(shop.bookOf('payment.cancelled')).toContainEqual(expect.objectContaining({ hold: brief.id }))
    expect(await shop.status(brief)).toBe('expired')
    expect([shop.isOpenCheckout(hold), await shop.status(hold)]).toEqual([true, 'active'])
    expectStatus(await shop.seller.delete(`/v1/holds/${hold.id}`), 200)
    await closed(hold)
    expect(shop.bookOf('payment.cancelled')).toContainEqual(expect.objectContaining({ hold: hold.id }))
  })

  it('leave money without goods to the seller when PENSTOCK_AUTO_REFUND is 0', async () => {
    const hold = await takeHold(shop.seller, drop)
    await (
      await shop.checkout(hold)
    )({ action: 'wrong_amount', loss: '100' })
    await closed(hold)
    const [payment] = await shop.paymentsOf(hold)
    expect(payment).toMatchObject({ status: 'refund_due' })
    // A refund that the seller makes is carried out.
    const { body: refund } = expectStatus(
      await shop.seller.post<WireRefund>('/v1/refunds', { payment: payment?.id }),
      201,
    )
    await poll('the refund succeeded', 10_000, async () => {
      const [found] = await shop.refunds(`payment=${payment?.id}`)
      return found?.id === refund.id && found.status === 'succeeded'
    })
    expect(shop.bookOf('refund.updated')).toMatchObject([{ penstock_refund: refund.id, amount: hold.amount + 1 }])
  })
})

describe('money without goods', () => {
  let shop: Shop
  let drop: WireDrop
  beforeAll(async () => {
    shop = await Shop.open()
    drop = await openDrop(shop.seller, { skus: [{ name: 'One size', unit_amount: 4_999, stock: 1_000 }] })
  }, 30_000)
  afterAll(() => shop.close())

  const allRefunded = (count: number) =>
    poll(`${count} refunds`, 30_000, async () => {
      const done = await shop.payments('status=refunded')
      return done.length === count && (await shop.refunds('status=pending')).length === 0
    })

  it('comes late, and goes back', async () => {
    const late = await openDrop(shop.seller, { hold_ttl: 1, late_payment: 'refund' })
    const hold = await takeHold(shop.seller, late)
    await shop.sendWrongMoney(hold, 'test', 'tpay_first')
    await poll('the hold has ended', 10_000, async () => (await shop.status(hold)) === 'expired')
    const body = JSON.stringify({
      id: 'evt_late',
      type: 'payment.captured',
      created: 1_800_000_000,
      data: { payment: 'tpay_late', hold: hold.id, amount: hold.amount, currency: hold.currency },
    })
    const signature = { [testSignatureHeader]: signBody(body, testSecret, Date.now()) }
    expectStatus(await shop.visitor.send('POST', '/v1/webhooks/test', body, signature), 200)
    await allRefunded(2)
    expect(await shop.paymentsOf(hold)).toMatchObject([{ reason: 'hold_expired' }, { reason: 'amount_mismatch' }])
  })

  it('goes back exactly once although the courier is killed again and again', async () => {
    const before = shop.bookOf('refund.updated').length
    const count = 60
    const holds = await Promise.all(Array.from({ length: count }, () => takeHold(shop.seller, drop)))
    let sent = 0
    const sending = (async () => {
      for (const [index, hold] of holds.entries()) {
        await shop.sendWrongMoney(hold, 'test', `tpay_kill_${index}`)
        sent = index + 1
      }
    })()
    // Before there is a refund, when some are asked for, and in the middle of them.
    for (const refunds of [0, 1, 20, 40]) {
      await poll(`${refunds} refunds`, 20_000, () => shop.bookOf('refund.updated').length - before >= refunds)
      await shop.box.killCourier()
    }
    await sending
    expect(sent).toBe(count)
    await allRefunded(count + before)
    const book = shop.bookOf('refund.updated').slice(before)
    expect(new Set(book.map(({ payment }) => payment)).size).toBe(count)
    expect(book).toHaveLength(count)
    const made = (await shop.refunds()).filter(({ id }) => book.some((line) => line['penstock_refund'] === id))
    expect(made.map(({ status, amount }) => `${status} ${amount}`)).toEqual(Array(count).fill('succeeded 5000'))
    const { data } = (await shop.seller.get<WireList<{ account: string; balance: number }>>('/v1/ledger/balances')).body
    expect(data.filter(({ account, balance }) => account === 'refunds_due' && balance !== 0)).toEqual([])
  }, 90_000)

  it('is left to a seller who began to refund it', async () => {
    // Money for nobody is not refunded by itself.
    const report = { hold: 'hold_00000000000000000000000000', provider: 'test', provider_payment_id: 'tpay_nobody' }
    const { body: payment } = expectStatus(
      await shop.seller.post<WirePayment>('/v1/payments', { ...report, amount: 100, currency: 'usd' }),
      201,
    )
    expect(payment.status).toBe('unmatched')
    expectStatus(await shop.seller.post('/v1/refunds', { payment: payment.id, amount: 40 }), 201)
    await poll('the part went back', 10_000, () =>
      shop.bookOf('refund.updated').some((line) => line['payment'] === 'tpay_nobody'),
    )
    expect(shop.bookOf('refund.updated').filter((line) => line['payment'] === 'tpay_nobody')).toMatchObject([
      { amount: 40 },
    ])
  })
})

describe('refunds at Stripe', () => {
  const opened: { shop: Shop; stripe: StripeStub }[] = []
  afterEach(async () => {
    for (const { shop, stripe } of opened.splice(0)) {
      await shop.close()
      stripe.close()
    }
  })

  async function open(stripe: StripeStub, environment: Record<string, string> = {}): Promise<Shop> {
    const shop = await Shop.open({
      ...environment,
      STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef',
      STRIPE_WEBHOOK_SECRET: stripeSecret,
      STRIPE_API_BASE: stripe.url,
    })
    opened.push({ shop, stripe })
    return shop
  }

  /** Refunds do not come of age in these tests: they are asked for again under their key, and not looked up. */
  const young = { PENSTOCK_RECONCILE_AGES: '50' }

  const settled = (shop: Shop, status: string) =>
    poll(`the refund has ${status}`, 20_000, async () => {
      const refunds = await shop.refunds()
      return refunds.length === 1 && refunds[0]?.status === status && refunds[0]
    })

  it.each([
    ['when the refund is made and not answered', 'made'],
    ['before the refund is made', 'asked'],
  ] as const)(
    'are one although the courier is killed %s',
    async (_, moment) => {
      const stripe = await StripeStub.listen()
      const shop = await open(stripe, young)
      const killed = Promise.withResolvers<void>()
      stripe.onRefund = async (at) => {
        if (at !== moment) return true
        stripe.onRefund = () => true
        await shop.box.killCourier()
        killed.resolve()
        // Nobody hears the answer any more.
        return moment === 'made'
      }
      const hold = await takeHold(shop.seller, await openDrop(shop.seller))
      await shop.sendWrongMoney(hold, 'stripe', 'pi_1')
      await killed.promise
      const refund = await settled(shop, 'succeeded')
      expect([...stripe.refunds.keys()]).toEqual([`penstock-refund-${refund.id}`])
      expect(stripe.asked).toBe(2)
    },
    60_000,
  )

  it('that are refused for good are failed, an event, and not asked for again', async () => {
    const stripe = await StripeStub.listen()
    stripe.mode = 'refuse'
    const shop = await open(stripe)
    const hold = await takeHold(shop.seller, await openDrop(shop.seller))
    await shop.sendWrongMoney(hold, 'stripe', 'pi_1')
    const refund = await settled(shop, 'failed')
    const { data } = (await shop.seller.get<WireList<WireEvent>>('/v1/events?type=refund.failed')).body
    expect(data.map(({ object_id: id }) => id)).toEqual([refund.id])
    expect(await shop.paymentsOf(hold)).toMatchObject([{ status: 'refund_due' }])
    // Not by the next courier either, which begins anew: what it does for another payment comes behind.
    await shop.box.killCourier()
    stripe.mode = 'succeed'
    const asked = stripe.asked
    const other = await takeHold(shop.seller, await openDrop(shop.seller))
    await shop.sendWrongMoney(other, 'stripe', 'pi_2')
    await poll('the other refund', 20_000, async () => (await shop.refunds('status=succeeded')).length === 1)
    expect(stripe.asked).toBe(asked + 1)
    expect(shop.box.output).toContain(`refund ${refund.id} of 5000 usd at stripe was refused for good`)
  }, 60_000)

  it('that were made although Stripe says no are not failed', async () => {
    const stripe = await StripeStub.listen()
    const shop = await open(stripe)
    // The answer to the first request is lost, and the key is forgotten: the charge is refunded already.
    stripe.onRefund = (at) => {
      if (at === 'asked') return true
      stripe.mode = 'refuse'
      return false
    }
    const hold = await takeHold(shop.seller, await openDrop(shop.seller))
    await shop.sendWrongMoney(hold, 'stripe', 'pi_1')
    await settled(shop, 'succeeded')
    expect(stripe.refunds.size).toBe(1)
  }, 60_000)

  it('that stay pending are looked up later, without a webhook', async () => {
    const stripe = await StripeStub.listen()
    stripe.mode = 'pending'
    const shop = await open(stripe)
    const hold = await takeHold(shop.seller, await openDrop(shop.seller))
    await shop.sendWrongMoney(hold, 'stripe', 'pi_1')
    await poll('the refund is at Stripe', 20_000, () => stripe.refunds.size === 1)
    stripe.mode = 'succeed'
    await settled(shop, 'succeeded')
    expect(stripe.refunds.size).toBe(1)
  }, 60_000)

  it('that were made there are not made again, while they are pending', async () => {
    const stripe = await StripeStub.listen()
    const shop = await open(stripe)
    const drop = await openDrop(shop.seller)
    const hold = await takeHold(shop.seller, drop)
    const { amount, currency } = hold
    const paid: { id: string } & Record<string, unknown> = {
      id: 'pi_1',
      amount_received: amount,
      currency,
      metadata: { penstock_hold: hold.id },
    }
    await shop.sendStripe('payment_intent.succeeded', paid)
    const made: { id: string } & Record<string, unknown> = {
      id: 're_dashboard',
      payment_intent: 'pi_1',
      amount: 100,
      currency,
      created: 1_800_000_000,
      status: 'pending',
      metadata: {},
    }
    await shop.sendStripe('refund.created', made)
    expect(await shop.refunds()).toMatchObject([{ status: 'pending', amount: 100, reason: 'Made at stripe' }])
    await poll('it is looked up', 20_000, () => stripe.looked.includes('pi_1'))
    // What comes behind it has been carried out: it would have been, too.
    await shop.sendWrongMoney(await takeHold(shop.seller, drop), 'stripe', 'pi_2')
    await poll('the other refund', 20_000, async () => (await shop.refunds('status=succeeded')).length === 1)
    expect([...stripe.refunds.values()].map(({ payment }) => payment)).toEqual(['pi_2'])
  }, 60_000)

  it('wait for a Stripe that is dead, and those of another provider do not', async () => {
    const stripe = await StripeStub.listen()
    stripe.mode = 'dead'
    const shop = await open(stripe, young)
    const drop = await openDrop(shop.seller)
    for (let index = 0; index < 12; index++) {
      await shop.sendWrongMoney(await takeHold(shop.seller, drop), 'stripe', `pi_${index}`)
    }
    await poll('Stripe is asked', 20_000, () => stripe.asked >= 4)
    for (let index = 0; index < 12; index++) {
      await shop.sendWrongMoney(await takeHold(shop.seller, drop), 'test', `tpay_${index}`)
    }
    await poll('the refunds of the other', 5_000, async () => (await shop.refunds('status=succeeded')).length === 12)
    stripe.mode = 'succeed'
    await poll('all refunds', 30_000, async () => (await shop.refunds('status=succeeded')).length === 24)
    expect(stripe.refunds.size).toBe(12)
  }, 90_000)
})
