import { createHash } from 'node:crypto'
import { testWebhookCopiesMax, testWebhookDelayMaxMs } from '@penstock/domain/limits.ts'
import { formatAmount } from '@penstock/domain/money.ts'
import type { TestAction, TestPayment } from './test-payment.ts'

export interface TestPage {
  readonly payment: TestPayment
  /** What is for sale. */
  readonly title: string
  /** As `PAID`; null while the hold waits for money. */
  readonly ended: string | null
  /** Of the address of the page, to be sent back with the form. */
  readonly query: string
}

const style = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:0 auto;padding:1.5rem}
.note{padding:.6rem .8rem;border-left:.25rem solid #c70;background:#c701}
.amount{font-size:2rem;font-weight:700;margin:.2rem 0}
fieldset{border:1px solid #8888;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0}
button{font:inherit;display:block;width:100%;text-align:left;padding:.7rem 1rem;margin:.4rem 0;border:1px solid #8888;border-radius:.5rem;cursor:pointer}
button:first-of-type{font-weight:700}
label{display:flex;justify-content:space-between;gap:1rem;margin:.4rem 0}
input[type=number]{width:7rem;font:inherit}
code{overflow-wrap:anywhere}`

/** Its own style and its own form, and nothing else; the answer may lead to where the shop wanted the buyer. */
export const testPagePolicy =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; ` +
  `base-uri 'none'; frame-ancestors 'none'`

const buttons: readonly (readonly [TestAction, string])[] = [
  ['succeed', 'Pay'],
  ['decline', 'Be declined'],
  ['cancel', 'Cancel the payment'],
  ['pay_late', 'Pay after the hold has ended'],
  ['pay_twice', 'Pay twice'],
  ['wrong_amount', 'Pay a wrong amount'],
]

/** The payment page of the test provider; works without JavaScript. */
export function testPage({ payment, title, ended, query }: TestPage): string {
  const { amountMinor, currency, paymentId } = payment
  const form = `<form method="post" action="?${escapeHtml(query)}">
${buttons.map(([action, label]) => `<button name="action" value="${action}">${label}</button>`).join('\n')}
<fieldset><legend>How its webhooks behave</legend>
<label>Delay in seconds <input type="number" name="delay" min="0" max="${testWebhookDelayMaxMs / 1_000}" value="0"></label>
<label>Copies of each <input type="number" name="copies" min="1" max="${testWebhookCopiesMax}" value="1"></label>
<label>Lost, of a hundred <input type="number" name="loss" min="0" max="100" value="0"></label>
<label>In reverse order <input type="checkbox" name="reorder" value="1"></label>
</fieldset></form>`
  return page(
    `Pay ${formatAmount(amountMinor, currency)}`,
    `<h1>${escapeHtml(title)}</h1>
<p class="amount">${formatAmount(amountMinor, currency)}</p>
${ended === null ? '' : `<p role="status"><strong>The hold is ${escapeHtml(ended)}.</strong> The shop may owe back money that comes now.</p>`}
${form}
<p>Payment <code>${escapeHtml(paymentId)}</code></p>`,
  )
}

/** What the page says after a button was pressed and there is nowhere to go back to. */
export function testDonePage(action: TestAction, webhooks: number): string {
  const label = buttons.find(([name]) => name === action)?.[1] ?? action
  const subject = webhooks === 1 ? '1 webhook' : `${webhooks} webhooks`
  const isLate = action === 'pay_late'
  const sent = isLate
    ? `${subject} will go to the shop when the hold has ended.`
    : `${subject} ${webhooks === 1 ? 'is' : 'are'} on the way to the shop.`
  const title = isLate ? 'Noted' : 'Done'
  return page(title, `<h1>${title}: ${label}</h1><p role="status">${sent}</p>`)
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${style}</style></head><body>
<p class="note">This is the test provider of Penstock: no money moves.</p>
<main>${body}</main>
</body></html>
`
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character)
}
