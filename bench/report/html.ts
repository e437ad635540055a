import { escapeHtml } from './escape.ts'
import { renderPlot } from './plot.ts'
import type { Report, Table } from './report.ts'

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; white-space: nowrap; }
.right { text-align: right; } th { text-align: left; }
.problem { background: #fde8e8; border-left: 4px solid #c00; padding: .5rem 1rem; }
.wide { overflow-x: auto; } svg { max-width: 100%; height: auto; } code { background: #f3f3f3; padding: .1rem .3rem; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } th, td { border-color: #444; }
  code { background: #2a2a2a; } .problem { background: #4a1c1c; } }`

/** One page that needs nothing else: no scripts, no fonts, no other files. */
export function renderHtml({ title, command, at, conditions, tables, plots, problems }: Report): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>${style}</style></head>
<body>
<h1>${escapeHtml(title)}</h1>
<p><code>${escapeHtml(command)}</code>, ${escapeHtml(at)}</p>
<ul>${conditions.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>
${problems.map((problem) => `<p class="problem">${escapeHtml(problem)}</p>`).join('\n')}
${plots.map((plot) => `<h2>${escapeHtml(plot.title)}</h2>\n${renderPlot(plot)}`).join('\n')}
${tables.map((table) => renderTable(table)).join('\n')}
</body>
</html>
`
}

function renderTable({ title, columns, rows, notes }: Table): string {
  const cell = (tag: 'th' | 'td', text: string, place: number): string =>
    `<${tag}${columns[place]?.align === 'right' ? ' class="right"' : ''}>${escapeHtml(text)}</${tag}>`
  const head = columns.map((column, place) => cell('th', column.title, place)).join('')
  const body = rows.map((row) => `<tr>${row.map((text, place) => cell('td', text, place)).join('')}</tr>`)
  return `<h2>${escapeHtml(title)}</h2>
<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${body.join('\n')}
</tbody></table></div>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}`
}
