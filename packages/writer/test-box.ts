import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CapturePayment, Command, CreateDrop, CreateHold } from '@penstock/domain/command.ts'

/** A data folder of a test. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'penstock-writer-'))
  readonly database = join(this.path, 'penstock.db')
  readonly socket = join(this.path, 'writer.sock')

  remove(): void {
    rmSync(this.path, { recursive: true })
  }
}

export const startMs = 1_700_000_000_000

export const expireCommand: Command = { kind: 'expire_holds', key: null }

export function dropCommand(dropId: string, change: Partial<CreateDrop> = {}): CreateDrop {
  return {
    kind: 'create_drop',
    key: null,
    dropId,
    name: 'Shoe',
    description: null,
    image: null,
    currency: 'usd',
    startsAtMs: 0,
    endsAtMs: null,
    holdTtlMs: 600_000,
    maxPerCustomer: null,
    latePayment: 'reacquire',
    fees: [],
    metadata: {},
    skus: [{ id: `sku_of_${dropId}`, name: 'Shoe', unitAmountMinor: 100, stock: 100_000, maxPerOrder: null }],
    ...change,
  }
}

export function publishCommand(dropId: string): Command {
  return { kind: 'change_drop_phase', key: null, dropId, action: 'publish' }
}

export function holdCommand(holdId: string, change: Partial<CreateHold> = {}): CreateHold {
  const dropId = change.dropId ?? 'drop_1'
  return {
    kind: 'create_hold',
    key: null,
    holdId,
    clientSecret: `cs_${holdId}`,
    dropId,
    lines: [{ skuId: `sku_of_${dropId}`, quantity: 1 }],
    customer: { email: 'ann@example.com', phone: '+1', externalId: null, name: null, shippingAddress: null },
    replace: null,
    ...change,
  }
}

export function captureCommand(holdId: string): CapturePayment {
  return {
    kind: 'capture_payment',
    key: { id: `pay ${holdId}`, fingerprint: 'f' },
    paymentId: `pay_${holdId}`,
    holdId,
    provider: 'manual',
    providerPaymentId: `paid for ${holdId}`,
    amountMinor: 100,
    currency: 'usd',
  }
}
