import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { shorten, StatementWatch } from './statements.ts'

test('StatementWatch counts the calls of each statement, and leaves the library as it was', () => {
  const watch = new StatementWatch()
  const db = new Database(':memory:')
  db.exec('CREATE TABLE t (a)')
  const insert = db.prepare('INSERT INTO t VALUES (?)')
  for (const value of [1, 2, 3]) insert.run(value)
  expect(db.prepare('SELECT sum(a) FROM t').pluck().get()).toBe(6)
  const costs = watch.stop()
  insert.run(4)
  expect(new Map(costs.map(({ sql, calls }) => [sql, calls]))).toEqual(
    new Map([
      ['INSERT INTO t VALUES (?)', 3],
      ['SELECT sum(a) FROM t', 1],
    ]),
  )
  db.close()
})

test('shorten counts rows instead of showing them', () => {
  expect(shorten('INSERT INTO t (a, b)\n  VALUES (?, ?), (?, ?), (?, ?) ON')).toBe(
    'INSERT INTO t (a, b) VALUES 3 × (?, ?) ON',
  )
  expect(shorten('SELECT 1')).toBe('SELECT 1')
})
