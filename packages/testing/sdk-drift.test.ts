import { expect, expectTypeOf, it } from 'vitest'
import { problemKinds } from '@penstock/http/problem.ts'
import { problemCodes } from '@penstock/sdk/index.ts'
import type { Scope as DomainScope } from '@penstock/domain/api-key.ts'
import type { DropStatus as DomainDropStatus, LatePayment as DomainLatePayment } from '@penstock/domain/drop.ts'
import type { HoldStatus as DomainHoldStatus } from '@penstock/domain/hold.ts'
import type {
  PaymentReason as DomainPaymentReason,
  PaymentStatus as DomainPaymentStatus,
} from '@penstock/domain/payment.ts'
import type { DropStatus, HoldStatus, LatePayment, PaymentReason, PaymentStatus, Scope } from '@penstock/sdk/index.ts'

/** The SDK imports nothing of ours, so what it says again is compared here. It may know more than this server. */

it('the SDK knows every problem the server can answer', () => {
  const known: readonly string[] = problemCodes
  expect(Object.keys(problemKinds).filter((code) => !known.includes(code))).toEqual([])
})

it('the SDK knows every status, reason and scope', () => {
  expectTypeOf<DomainDropStatus>().toExtend<DropStatus>()
  expectTypeOf<DomainLatePayment>().toExtend<LatePayment>()
  expectTypeOf<DomainHoldStatus>().toExtend<HoldStatus>()
  expectTypeOf<DomainPaymentStatus>().toExtend<PaymentStatus>()
  expectTypeOf<DomainPaymentReason>().toExtend<PaymentReason>()
  expectTypeOf<DomainScope>().toExtend<Scope>()
})
