import { holdStatusAt } from '@penstock/domain/hold.ts'
import { testWebhookCopiesMax, testWebhookDelayMaxMs } from '@penstock/domain/limits.ts'
import { testDonePage, testPage, testPagePolicy } from '@penstock/providers/test-page.ts'
import { eventsOf, planWebhooks, testActions } from '@penstock/providers/test-payment.ts'
import { testHoldId } from '@penstock/providers/test-provider.ts'
import { sendProblem } from './api.ts'
import { problem } from './problem.ts'
import { TestWebhooks } from './test-webhooks.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Providers } from '@penstock/providers/open-providers.ts'
import type { TestDelivery, TestPayment } from '@penstock/providers/test-payment.ts'
import type { TestProvider } from '@penstock/providers/test-provider.ts'
import type { Deps, Router } from './api.ts'
import type { HttpExchange } from './transport.ts'
import type { TestWebhooksDeps } from './test-webhooks.ts'

const path = '/pay/test/:id'
const formBytesMax = 1_024

/** What the test provider adds to the deps of a process in test mode. */
export interface TestPay {
  readonly provider: TestProvider
  readonly webhooks: TestWebhooks
  readonly random: () => number
}

/** Null where there is no test provider: in live mode. */
export function openTestPay(
  { test }: Pick<Providers, 'test'>,
  deps: Omit<TestWebhooksDeps, 'sign'> & Pick<TestPay, 'random'>,
): TestPay | null {
  if (test === undefined) return null
  const sign = (body: string, nowMs: number): string => test.sign(body, nowMs)
  return { provider: test, webhooks: new TestWebhooks({ ...deps, sign }), random: deps.random }
}

interface Visit {
  readonly hold: Hold
  readonly payment: TestPayment
  readonly query: string
  readonly returnUrl: string
}

/** The payment page of the test provider. No part of the API: it stands for somebody else's site. */
export function serveTestPay(router: Router, deps: Deps, testPay: TestPay): void {
  router.route('GET', path, (exchange) => {
    const visit = readVisit(exchange, deps, testPay)
    if (visit === null) return
    const { hold, payment, query } = visit
    const status = holdStatusAt(hold, deps.clock())
    const title = deps.queries.findDropName(hold.dropId) ?? 'Order'
    sendPage(exchange, testPage({ payment, title, query, ended: status === 'active' ? null : status }))
  })
  router.route('POST', path, (exchange) => {
    const visit = readVisit(exchange, deps, testPay)
    if (visit === null) return
    exchange.readBody(formBytesMax, (bytes) => {
      if (bytes === null)
        return sendProblem(exchange, deps, problem('body_too_large', 'That is too much for this form.'))
      act(exchange, visit, new URLSearchParams(Buffer.from(bytes).toString()), deps, testPay)
    })
  })
}

/** Who comes here has an address that this box has made; anything else is answered. */
function readVisit(exchange: HttpExchange, deps: Deps, { provider }: TestPay): Visit | null {
  const { query } = exchange
  const params = new URLSearchParams(query)
  const paymentId = exchange.param(0)
  const returnUrl = params.get('return_url') ?? ''
  const holdId = testHoldId(paymentId)
  const isOurs = provider.isPageToken(params.get('token') ?? '', paymentId, returnUrl)
  const hold = holdId === null || !isOurs ? null : deps.queries.findHold(holdId)
  if (hold === null) {
    sendProblem(exchange, deps, problem('not_found', 'There is no such payment, or its address was changed.', 'id'))
    return null
  }
  const { amountMinor, currency, expiresMs } = hold
  return { hold, payment: { paymentId, holdId: hold.id, amountMinor, currency, expiresMs }, query, returnUrl }
}

function act(exchange: HttpExchange, visit: Visit, form: URLSearchParams, deps: Deps, testPay: TestPay): void {
  const { payment, returnUrl } = visit
  const action = testActions.find((name) => name === form.get('action'))
  const delivery = readDelivery(form)
  if (action === undefined || delivery === null) {
    return sendProblem(
      exchange,
      deps,
      action === undefined
        ? problem('invalid_request', `action must be one of ${testActions.join(', ')}.`, 'action')
        : problem('invalid_request', 'delay, copies or loss is out of its bounds.'),
    )
  }
  const nowMs = deps.clock()
  const events = eventsOf(payment, action, nowMs)
  const planned = planWebhooks(events, payment, action, delivery, nowMs, testPay.random)
  testPay.provider.record(events)
  const sent = testPay.webhooks.send(planned)
  if (sent === null) return sendProblem(exchange, deps, problem('overloaded', 'Too many webhooks wait to be sent.'))
  if (returnUrl === '') return sendPage(exchange, testDonePage(action, sent))
  const target = new URL(returnUrl)
  target.searchParams.set('penstock_hold', payment.holdId)
  exchange.send(303, ['Location', target.href, ...noStore], '')
}

/** Null: a number is out of its bounds. */
function readDelivery(form: URLSearchParams): TestDelivery | null {
  const number = (name: string, standard: number, min: number, max: number): number => {
    const value = Number(form.get(name) ?? standard)
    return value >= min && value <= max ? value : Number.NaN
  }
  const delivery = {
    delayMs: Math.round(number('delay', 0, 0, testWebhookDelayMaxMs / 1_000) * 1_000),
    copies: number('copies', 1, 1, testWebhookCopiesMax),
    lossPercent: number('loss', 0, 0, 100),
    isReordered: form.get('reorder') === '1',
  }
  const numbers = [delivery.delayMs, delivery.copies, delivery.lossPercent]
  return numbers.some(Number.isNaN) || !Number.isInteger(delivery.copies) ? null : delivery
}

const noStore = ['Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer']

function sendPage(exchange: HttpExchange, html: string): void {
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', testPagePolicy]
  exchange.send(200, [...headers, 'X-Content-Type-Options', 'nosniff', ...noStore], html)
}
