import { Webhook } from 'standardwebhooks'
import { expect, it } from 'vitest'
import { signWebhook } from './sign.ts'

const secrets = ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'C2FVsBQIhrscChlQIMV+b5sSYspob7oD'].map((text) => ({
  secret: `whsec_${text}`,
}))
const body = '{"type":"payment.captured","data":"ü 👟"}'

it('signWebhook signs as the library of the standard does, once for each secret', () => {
  const expected = secrets.map(({ secret }) =>
    new Webhook(secret).sign('evt_1_whe_1', new Date(1_800_000_000_000), body),
  )
  expect(signWebhook(secrets, 'evt_1_whe_1', 1_800_000_000, body)).toBe(expected.join(' '))
  expect(signWebhook([], 'evt_1_whe_1', 1_800_000_000, body)).toBe('')
})
