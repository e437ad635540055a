import { describe, expect, it } from 'vitest'
import {
  webhookAttemptsKept,
  webhookEndpointsMax,
  webhookReplayEventsMax,
  endpointSecretsMax,
} from '@penstock/domain/limits.ts'
import {
  deleteEndpointCommand,
  endpointCommand,
  openSale,
  outcome,
  outcomesCommand,
  replayCommand,
  retryCommand,
  rotateCommand,
  startMs,
  updateEndpointCommand,
} from '../test-sale.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookSecret } from '@penstock/domain/webhook.ts'
import type { TestSale } from '../test-sale.ts'

/** A sale with whe_1, which was made behind two events. */
function openWithEndpoint(...commands: readonly Command[]): TestSale {
  const sale = openSale()
  sale.accept(endpointCommand('whe_1'), ...commands)
  return sale
}

function endpointOf(sale: TestSale, id = 'whe_1'): WebhookEndpoint {
  return sale.set.webhooks.endpoints.find(id) ?? expect.fail(`there is no ${id}`)
}

function secretsOf(sale: TestSale): readonly WebhookSecret[] {
  return sale.set.webhooks.secrets.find('whe_1')?.secrets ?? []
}

function deliveryOf(sale: TestSale, eventSeq = 1): WebhookDelivery {
  return sale.set.webhooks.deliveries.find(`whe_1/${eventSeq}`) ?? expect.fail(`there is no delivery of ${eventSeq}`)
}

const manyEndpoints = Array.from({ length: webhookEndpointsMax }, (_, index) => endpointCommand(`whe_${index + 1}`))
const off = updateEndpointCommand({ status: 'disabled' })
const gone = deleteEndpointCommand()

/** What is refused, in order of precedence, and writes nothing. */
const refusals: readonly (readonly [string, readonly Command[], Command, Partial<Result>])[] = [
  ['one endpoint too many', manyEndpoints.slice(1), endpointCommand('whe_x'), { outcome: 'too_many_endpoints' }],
  ['a change of none', [], updateEndpointCommand({}, 'whe_x'), { outcome: 'not_found', param: 'id' }],
  ['a change of a deleted one', [gone], updateEndpointCommand({ status: 'enabled' }), { outcome: 'not_found' }],
  ['a deletion of none', [], deleteEndpointCommand('whe_x'), { outcome: 'not_found', param: 'id' }],
  ['a new secret for none', [], rotateCommand('s', { endpointId: 'whe_x' }), { outcome: 'not_found' }],
  ['a new secret for a deleted one', [gone], rotateCommand('s'), { outcome: 'not_found' }],
  ['a retry of what was not sent', [], retryCommand(), { outcome: 'not_found', param: 'id' }],
  ['a retry to a disabled one', [outcomesCommand(), off], retryCommand(), { outcome: 'invalid_transition' }],
  ['a retry to a deleted one', [outcomesCommand(), gone], retryCommand(), { outcome: 'invalid_transition' }],
  ['a replay to none', [], replayCommand(1, 1, { endpointId: 'whe_x' }), { outcome: 'not_found' }],
  ['a replay to a deleted one', [gone], replayCommand(1, 1), { outcome: 'not_found' }],
  ['a replay to a disabled one', [off], replayCommand(9, 1), { outcome: 'invalid_transition' }],
  ['a second replay', [replayCommand(1, 2)], replayCommand(2, 2), { outcome: 'invalid_transition' }],
  ['a replay of the future', [], replayCommand(4, 9), { outcome: 'invalid_request', param: 'from' }],
  ['a replay that ends before it begins', [], replayCommand(2, 1), { outcome: 'invalid_request', param: 'from' }],
]

it.each(refusals)('decide refuses %s', (_, before, command, expected) => {
  const sale = openWithEndpoint(...before)
  const { writes } = sale.set
  expect(sale.run(command)).toMatchObject(expected)
  expect(sale.set.writes).toBe(writes)
})

it('replayWebhookEvents refuses more events than it may send', () => {
  const sale = openWithEndpoint()
  const event = sale.set.outbox[0] ?? expect.fail('there is no event')
  while (sale.set.outbox.length <= webhookReplayEventsMax) sale.set.outbox.push(event)
  expect(sale.run(replayCommand(1, webhookReplayEventsMax + 1))).toMatchObject({
    outcome: 'invalid_request',
    param: 'to',
  })
  expect(sale.run(replayCommand(2, webhookReplayEventsMax + 1))).toMatchObject({ outcome: 'webhook_endpoint_saved' })
})

describe('an endpoint', () => {
  it('is sent what comes after it, its own creation first', () => {
    const sale = openWithEndpoint()
    expect(endpointOf(sale)).toMatchObject({ status: 'enabled', cursorSeq: 2, revision: 0, createdMs: startMs })
    expect(sale.set.outbox[2]).toEqual({ type: 'webhook_endpoint.created', objectId: 'whe_1', createdMs: startMs })
  })

  it('never has its secrets in a result', () => {
    const sale = openWithEndpoint()
    for (const command of [endpointCommand('whe_2'), rotateCommand('s2'), off, gone]) {
      expect(JSON.stringify(sale.run(command))).not.toContain('whsec_')
    }
  })

  it('is switched off and on, and goes on where it stopped', () => {
    const sale = openWithEndpoint(outcomesCommand({ cursorSeq: 3, failingSinceMs: 7 }), off)
    expect(endpointOf(sale)).toMatchObject({ status: 'disabled', disabledReason: 'seller', cursorSeq: 3 })
    sale.accept(updateEndpointCommand({ status: 'enabled' }))
    const enabled = { status: 'enabled', disabledReason: null, cursorSeq: 3, failingSinceMs: null, revision: 2 }
    expect(endpointOf(sale)).toMatchObject(enabled)
    const { writes } = sale.set
    sale.accept(updateEndpointCommand({ status: 'enabled', url: endpointOf(sale).url }))
    expect(sale.set.writes).toBe(writes)
  })

  it('loses its secrets when it is deleted, and keeps what it was sent', () => {
    const sale = openWithEndpoint(outcomesCommand(), gone)
    expect(secretsOf(sale)).toEqual([])
    expect(endpointOf(sale)).toMatchObject({ status: 'deleted', replay: null })
    expect(deliveryOf(sale).status).toBe('succeeded')
    expect(sale.set.outbox.at(-1)?.type).toBe('webhook_endpoint.deleted')
    sale.accept(...manyEndpoints.slice(1), endpointCommand('whe_y'))
  })
})

describe('rotateWebhookSecret', () => {
  it('lets the others end after the overlap, or at their own end', () => {
    const sale = openWithEndpoint(rotateCommand('s2', { overlapMs: 1_000 }))
    sale.accept(rotateCommand('s3', { overlapMs: 5_000 }))
    expect(secretsOf(sale).map(({ id, expiresMs }) => [id, expiresMs])).toEqual([
      ['s3', null],
      ['s2', startMs + 5_000],
      ['id of the secret of whe_1', startMs + 1_000],
    ])
    sale.nowMs += 1_000
    sale.accept(rotateCommand('s4', { overlapMs: 0 }))
    expect(secretsOf(sale).map(({ id }) => id)).toEqual(['s4'])
  })

  it('keeps a bounded number', () => {
    const sale = openWithEndpoint()
    for (let index = 0; index < endpointSecretsMax + 2; index++) sale.accept(rotateCommand(`s${index}`))
    expect(secretsOf(sale)).toHaveLength(endpointSecretsMax)
    expect(secretsOf(sale)[0]?.id).toBe(`s${endpointSecretsMax + 1}`)
  })
})

describe('recordWebhookOutcomes', () => {
  const attempt = outcome(1).attempt ?? expect.fail('there is no attempt')
  const failed = { ...attempt, status: 500, fault: 'status' as const }

  it('keeps the attempts of a delivery, the newest, and each once', () => {
    const sale = openWithEndpoint()
    for (let index = 0; index < webhookAttemptsKept + 5; index++) {
      const facts = { status: 'pending', failures: index, attempt: { ...failed, startedMs: startMs + index } } as const
      sale.accept(
        outcomesCommand({ outcomes: [outcome(1, facts)] }),
        outcomesCommand({ outcomes: [outcome(1, facts)] }),
      )
    }
    expect(deliveryOf(sale).attempts).toHaveLength(webhookAttemptsKept)
    expect(deliveryOf(sale).attempts[0]?.startedMs).toBe(startMs + 5)
    sale.accept(outcomesCommand({ outcomes: [outcome(1, { attempt: null })] }))
    expect(deliveryOf(sale).attempts).toHaveLength(webhookAttemptsKept)
  })

  it('never moves the cursor back', () => {
    const sale = openWithEndpoint(outcomesCommand({ cursorSeq: 9 }), outcomesCommand({ cursorSeq: 3 }))
    expect(endpointOf(sale).cursorSeq).toBe(9)
  })

  it('disables an endpoint once, with an event', () => {
    const sale = openWithEndpoint(outcomesCommand({ disable: 'gone' }), outcomesCommand({ disable: 'failing' }))
    expect(endpointOf(sale)).toMatchObject({ status: 'disabled', disabledReason: 'gone', revision: 1 })
    expect(sale.set.outbox.filter(({ type }) => type === 'webhook_endpoint.disabled')).toHaveLength(1)
  })

  it('moves the replay it is about, and ends it', () => {
    const sale = openWithEndpoint(replayCommand(1, 3))
    sale.accept(outcomesCommand({ replay: { nextSeq: 3, toSeq: 2 } }))
    expect(endpointOf(sale).replay).toEqual({ nextSeq: 1, toSeq: 3 })
    sale.accept(outcomesCommand({ replay: { nextSeq: 3, toSeq: 3 } }))
    expect(endpointOf(sale).replay).toEqual({ nextSeq: 3, toSeq: 3 })
    sale.accept(outcomesCommand({ replay: { nextSeq: 4, toSeq: 3 } }))
    expect(endpointOf(sale).replay).toBeNull()
  })

  it.each([
    ['of an endpoint that is not there', outcomesCommand({ endpointId: 'whe_x' })],
    ['of a deleted endpoint', outcomesCommand()],
  ])('keeps nothing %s', (_, command) => {
    const sale = openWithEndpoint(gone)
    const { writes } = sale.set
    expect(sale.run(command)).toMatchObject({ outcome: 'webhook_outcomes_saved', count: 0 })
    expect(sale.set.writes).toBe(writes)
  })
})

it('retryWebhookDelivery starts a new schedule and tells the courier', () => {
  const sale = openWithEndpoint(outcomesCommand({ outcomes: [outcome(1, { status: 'failed', failures: 10 })] }))
  sale.nowMs += 5
  sale.accept(retryCommand())
  expect(deliveryOf(sale)).toMatchObject({ status: 'pending', failures: 0, nextAttemptMs: startMs + 5 })
  expect(endpointOf(sale).revision).toBe(1)
})

it('retryWebhookDelivery changes nothing more when it is asked for again before the courier has tried', () => {
  const sale = openWithEndpoint(outcomesCommand({ outcomes: [outcome(1, { status: 'failed', failures: 10 })] }))
  sale.accept(retryCommand())
  const { writes } = sale.set
  sale.nowMs += 5
  expect(sale.run(retryCommand())).toMatchObject({ outcome: 'webhook_delivery_saved', delivery: deliveryOf(sale) })
  expect(sale.set.writes).toBe(writes)
  sale.accept(outcomesCommand({ outcomes: [outcome(1, { status: 'pending', failures: 1 })] }), retryCommand())
  expect(deliveryOf(sale)).toMatchObject({ failures: 0, nextAttemptMs: startMs + 5 })
})
