import { expect, it } from 'vitest'
import { testDonePage } from './test-page.ts'

it.each([
  ['succeed', 1, 'Done: Pay', '1 webhook is on the way to the shop.'],
  ['pay_twice', 2, 'Done: Pay twice', '2 webhooks are on the way to the shop.'],
  ['succeed', 0, 'Done: Pay', '0 webhooks are on the way to the shop.'],
  ['pay_late', 1, 'Noted: Pay after the hold has ended', '1 webhook will go to the shop when the hold has ended.'],
] as const)('testDonePage of %s with %i webhooks says %s', (action, webhooks, title, text) => {
  const html = testDonePage(action, webhooks)
  expect(html).toContain(`<h1>${title}</h1>`)
  expect(html).toContain(text)
})
