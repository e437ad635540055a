import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname, '..')

/** How a float gets near money. Amounts are integers in minor units everywhere, and only formatAmount shows decimals. */
const forbidden =
  /\b(?:parseFloat|toFixed|toPrecision)\b|[*/] 100(?:\.0*)?(?![\w.%])|\*\* -?(?:exponent|decimals)|\bREAL\b/

const sources = ['domain', 'engine', 'protocol', 'store', 'store-sqlite', 'http', 'writer'].flatMap((name) =>
  globSync(`packages/${name}/**/*.{ts,sql}`, { cwd: root, exclude: (file) => file.includes('node_modules') }).filter(
    (file) => !file.endsWith('.test.ts'),
  ),
)

it.each(['amount * 100', 'total / 100', '(amount).toFixed(2)', 'parseFloat(text)', 'amount REAL NOT NULL'])(
  'the rule sees %j',
  (code) => {
    expect(code).toMatch(forbidden)
  },
)

it('no source between a request and its row turns money into a float', () => {
  expect(sources.length).toBeGreaterThan(80)
  const found = sources.flatMap((file) => {
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n')
    return lines.flatMap((line, index) => (forbidden.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []))
  })
  expect(found).toEqual([])
})
