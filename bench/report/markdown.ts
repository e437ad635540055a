import type { Report, Table } from './report.ts'

/** A report as Markdown that also reads well on a terminal: its columns are padded. */
export function renderMarkdown(report: Report): string {
  const { title, command, at, conditions, tables, problems } = report
  return [
    `# ${title}`,
    '',
    `\`${command}\`, ${at}`,
    '',
    ...conditions.map((line) => `- ${line}`),
    '',
    ...problems.flatMap((problem) => [`**${problem}**`, '']),
    ...tables.flatMap((table) => [...renderTable(table), '']),
  ].join('\n')
}

function renderTable({ title, columns, rows, notes }: Table): string[] {
  const widths = columns.map((column, place) =>
    Math.max(3, column.title.length, ...rows.map((row) => escapeCell(row[place] ?? '').length)),
  )
  const line = (cells: readonly string[]): string => {
    const padded = columns.map(({ align }, place) => {
      const cell = escapeCell(cells[place] ?? '')
      return align === 'left' ? cell.padEnd(widths[place] ?? 0) : cell.padStart(widths[place] ?? 0)
    })
    return `| ${padded.join(' | ')} |`
  }
  const rule = columns.map(({ align }, place) => {
    const dashes = '-'.repeat((widths[place] ?? 0) - 1)
    return align === 'left' ? `-${dashes}` : `${dashes}:`
  })
  return [
    `## ${title}`,
    '',
    line(columns.map((column) => column.title)),
    `| ${rule.join(' | ')} |`,
    ...rows.map((row) => line(row)),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `- ${note}`)] : []),
  ]
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
