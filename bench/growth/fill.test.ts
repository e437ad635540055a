import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { expect, onTestFinished, test } from 'vitest'
import { readDatabase } from '../row-counts.ts'
import { fillPayments, textOf } from './fill.ts'

test('fillPayments makes a database that the audit finds sound', () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-fill-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'penstock.db')
  fillPayments(path, 2_000, () => undefined)
  expect(auditDatabase(path)).toEqual([])
  expect(readDatabase(path).rows).toMatchObject({
    holds: 2_001,
    payments: 2_001,
    orders: 2_001,
    keys: 2_001,
    unitsSold: 2_001,
  })
})

test('textOf numbers every id, wherever it is', () => {
  const id = 'hold_01aaaaaaaaaaaaa_123456789012'
  const numbered = "printf('%s%012d', 'hold_01aaaaaaaaaaaaa_', n)"
  expect(textOf(id, [id])).toBe(numbered)
  const text = `{"a":"${id}@x'","b":"${id}"}`
  expect(textOf(text, ['nothing', id])).toBe(`'{"a":"' || ${numbered} || '@x''","b":"' || ${numbered} || '"}'`)
})
