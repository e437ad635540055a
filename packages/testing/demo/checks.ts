import type { SaleFacts } from './facts.ts'
import type { SaleOutcome } from './sale.ts'
import type { Tally } from './tally.ts'

export interface Check {
  readonly name: string
  /** What is wrong; null when nothing is. */
  readonly violation: string | null
}

/** Acknowledged payments that the database does not have, or has with another fate. */
export function lostPayments(tally: Tally, facts: SaleFacts): string[] {
  return [...tally.payments].flatMap(([id, seen]) => {
    const row = facts.payments.get(id)
    if (row === undefined) return [`${id} has no row`]
    const isSame = row.status === seen.status && row.order === seen.order && row.amount === seen.amount
    return isSame ? [] : [`${id} was told ${JSON.stringify(seen)}, the row says ${JSON.stringify(row)}`]
  })
}

/** Everything that must hold after the sale: the database with itself, and with what the buyers were told. */
export function checkSale(tally: Tally, facts: SaleFacts, { unserved }: SaleOutcome): Check[] {
  const lost = lostPayments(tally, facts)
  const lostHolds = [...tally.holds.keys()].filter((id) => !facts.holds.has(id))
  const { captured = 0 } = facts.holdsByStatus
  const seenCaptured = [...tally.payments.values()].filter(({ status }) => status === 'captured').length
  const unreleased = [...tally.released].filter((id) => facts.holds.get(id)?.status === 'active')
  return [
    check('oversold is 0: no unit was sold twice', facts.oversold === 0, `${facts.oversold} units too many`),
    check('lost is 0: every acknowledged payment is there', lost.length === 0, few(lost)),
    check('answers never contradict each other', tally.contradictions.length === 0, few(tally.contradictions)),
    check('no hold is left over', facts.held === 0, `${facts.held} units are still held`),
    unserved > 0
      ? check(
          'demand exceeded stock: every unit is sold',
          facts.sold === facts.stock,
          `${facts.sold} of ${facts.stock}`,
        )
      : check('nobody was left waiting', facts.sold <= facts.stock, `${facts.sold} of ${facts.stock}`),
    equal('holds: answers with 201 = rows', tally.holds.size, facts.holds.size),
    check('holds: each answered one has its row', lostHolds.length === 0, few(lostHolds)),
    equal('holds: units answered = units in rows', sum(tally.holds.values()), sumUnits(facts)),
    equal('payments: answers with 2xx = rows', tally.payments.size, facts.payments.size),
    equal('payments answered as captured = orders', seenCaptured, facts.paidOrders),
    equal('holds captured = orders', captured, facts.paidOrders),
    equal('units in orders = units sold', facts.unitsInOrders, facts.sold),
    check('releases are final', unreleased.length === 0, few(unreleased)),
    equal('orders without their hold, or the other way round', facts.unpairedOrders, 0),
    equal('payments without their ledger entry', facts.unledgeredPayments, 0),
    equal('accounts that are not the fold of their entries', facts.unbalancedAccounts, 0),
  ]
}

function check(name: string, isMet: boolean, violation: string): Check {
  return { name, violation: isMet ? null : violation }
}

function equal(name: string, left: number, right: number): Check {
  return check(name, left === right, `${left} is not ${right}`)
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function sumUnits(facts: SaleFacts): number {
  return [...facts.holds.values()].reduce((total, { units }) => total + units, 0)
}

function few(lines: readonly string[]): string {
  const shown = lines.slice(0, 3).join('; ')
  return lines.length > 3 ? `${shown}; and ${lines.length - 3} more` : shown
}
