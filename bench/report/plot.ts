import { escapeHtml } from './escape.ts'
import type { Axis, Plot } from './report.ts'

const [width, height] = [760, 380]
const margin = { left: 76, right: 170, top: 14, bottom: 46 }
const colours = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f']
const ticksMax = 6

/** A scale of one axis: where a value is, and which values get a line. */
interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/** An SVG of lines through points. Empty when there is nothing to show. */
export function renderPlot({ x, y, series }: Plot): string {
  const shown = series
    .map(({ name, points }) => ({ name, points: points.filter(([px, py]) => isShown(px, x) && isShown(py, y)) }))
    .filter(({ points }) => points.length > 0)
  if (shown.length === 0) return ''
  const all = shown.flatMap(({ points }) => points)
  const scaleX = makeScale(
    all.map(([px]) => px),
    x,
    margin.left,
    width - margin.right,
  )
  const scaleY = makeScale(
    all.map(([, py]) => py),
    y,
    height - margin.bottom,
    margin.top,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor" role="img">
${scaleX.ticks.map((tick) => tickX(tick, scaleX.at(tick))).join('\n')}
${scaleY.ticks.map((tick) => tickY(tick, scaleY.at(tick))).join('\n')}
<text x="${(margin.left + width - margin.right) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(x.label)}</text>
<text transform="translate(14 ${height / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(y.label)}</text>
${shown.map((one, place) => renderLine(one, place, scaleX, scaleY)).join('\n')}
</svg>`
}

function isShown(value: number, { scale }: Axis): boolean {
  return Number.isFinite(value) && (scale === 'linear' || value > 0)
}

function renderLine({ name, points }: Plot['series'][number], place: number, x: Scale, y: Scale): string {
  const colour = colours[place % colours.length] ?? 'black'
  const at = points.map(([px, py]) => `${x.at(px).toFixed(1)},${y.at(py).toFixed(1)}`)
  const dots = at.map(
    (point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="3" fill="${colour}"/>`,
  )
  const [labelX, labelY] = [width - margin.right + 12, margin.top + 14 + place * 18]
  return `<polyline points="${at.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}
<rect x="${labelX}" y="${labelY - 9}" width="10" height="10" fill="${colour}"/><text x="${labelX + 15}" y="${labelY}">${escapeHtml(name)}</text>`
}

function tickX(value: number, at: number): string {
  return `<line x1="${at}" x2="${at}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#8884"/><text x="${at}" y="${height - margin.bottom + 16}" text-anchor="middle">${format(value)}</text>`
}

function tickY(value: number, at: number): string {
  return `<line x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" stroke="#8884"/><text x="${margin.left - 6}" y="${at + 4}" text-anchor="end">${format(value)}</text>`
}

/** From the pixel `from` to `to`; even steps begin at 0. */
export function makeScale(values: readonly number[], { scale }: Axis, from: number, to: number): Scale {
  if (scale === 'log') {
    const low = Math.floor(Math.log10(Math.min(...values)))
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
    const ticks = Array.from({ length: high - low + 1 }, (_, place) => 10 ** (low + place))
    return { ticks, at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) }
  }
  const step = niceStep(Math.max(...values, Number.MIN_VALUE) / ticksMax)
  const count = Math.max(1, Math.ceil(Math.max(...values) / step))
  const ticks = Array.from({ length: count + 1 }, (_, place) => place * step)
  return { ticks, at: (value) => from + (value / (count * step)) * (to - from) }
}

/** The smallest of 1, 2, 5, 10, 20, ... (and 0.5, 0.2, ...) that is not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power
}

function format(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}
