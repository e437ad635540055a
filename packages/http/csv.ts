/** What a cell can hold. Null is an empty cell. */
export type CsvCell = string | number | boolean | null

/**
 * A spreadsheet runs a cell that begins so as a formula, whoever typed it into the shop (OWASP, "CSV injection"; the
 * last four are what some spreadsheets take for the first four). Such a text gets an apostrophe in front, which
 * spreadsheets hide.
 */
const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/

/** RFC 4180: what needs quotes, with quotes inside doubled. */
const needsQuotes = /[",\r\n]/

/** One line with its CRLF. Numbers are written as they are: a negative amount is no formula. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

function csvCell(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  const text = formulaStart.test(cell) ? `'${cell}` : cell
  return needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** `2026-11-22T16:30:10Z`: ISO 8601, to the second as everywhere on the wire. `seconds` is Unix time; null stays null. */
export function csvTime(seconds: number | null): string | null {
  return seconds === null ? null : `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`
}
