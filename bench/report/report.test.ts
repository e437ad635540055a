import { expect, test } from 'vitest'
import { percent } from './format.ts'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'
import { makeScale, renderPlot } from './plot.ts'
import type { Plot, Report } from './report.ts'

const plot: Plot = {
  title: 'throughput',
  x: { label: 'offered/s', scale: 'linear' },
  y: { label: 'ms', scale: 'log' },
  series: [
    {
      name: 'p99 <all>',
      points: [
        [2_000, 1.5],
        [50_000, 800],
      ],
    },
    { name: 'nothing', points: [[1, 0]] },
  ],
}

const report: Report = {
  name: 'x',
  title: 'The <ladder>',
  command: 'npm run x',
  at: '2026-01-01T00:00:00.000Z',
  conditions: ['2 cores'],
  tables: [
    {
      title: 'Rungs',
      columns: [
        { title: 'name', align: 'left' },
        { title: 'n', align: 'right' },
      ],
      rows: [
        ['a|b', '7'],
        ['longer', '1,000'],
      ],
      notes: ['a note'],
    },
  ],
  plots: [plot],
  problems: ['VOID: rows are missing'],
  data: null,
}

test('renderMarkdown pads its columns, keeps bars inside cells and shows problems first', () => {
  const text = renderMarkdown(report)
  expect(text).toContain('| name   |     n |\n| ------ | ----: |\n| a\\|b   |     7 |\n| longer | 1,000 |\n\n- a note')
  expect(text.indexOf('**VOID')).toBeLessThan(text.indexOf('## Rungs'))
})

test('renderHtml needs nothing from elsewhere and escapes what it shows', () => {
  const page = renderHtml(report)
  expect(page).not.toMatch(/<script|<link|src=|href=/)
  expect(page).toContain('The &lt;ladder&gt;')
  expect(page).toContain('VOID: rows are missing')
  expect(page).toContain('p99 &lt;all&gt;')
})

test('renderPlot leaves out what a logarithm cannot show', () => {
  expect(renderPlot(plot)).not.toContain('nothing')
  expect(renderPlot({ ...plot, series: [] })).toBe('')
  expect(renderPlot(plot)).not.toContain('NaN')
})

test('makeScale has round steps from 0, and powers of ten', () => {
  const linear = makeScale([3, 47], { label: '', scale: 'linear' }, 0, 100)
  expect(linear.ticks).toEqual([0, 10, 20, 30, 40, 50])
  expect(linear.at(25)).toBeCloseTo(50)
  const log = makeScale([0.5, 900], { label: '', scale: 'log' }, 0, 100)
  expect(log.ticks.map((tick) => Math.round(Math.log10(tick)))).toEqual([-1, 0, 1, 2, 3])
  expect(log.at(0.1)).toBeCloseTo(0)
  expect(log.at(1_000)).toBeCloseTo(100)
})

test('percent says 100 of all only', () => {
  expect([1, 0.999_999, 0.5, 0].map((fraction) => percent(fraction))).toEqual(['100.00%', '99.99%', '50.00%', '0.00%'])
})
