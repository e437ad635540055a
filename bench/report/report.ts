import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'

/** Text is left, numbers are right. */
export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** What a reader must know to read it. */
  readonly notes: readonly string[]
}

export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

export interface Axis {
  readonly label: string
  /** Powers of ten instead of even steps; values of 0 are left out. */
  readonly scale: 'linear' | 'log'
}

/** What a command of the laboratory found out, for people and for programs. */
export interface Report {
  /** Also the name of its files: `ladder`. */
  readonly name: string
  readonly title: string
  /** As it was typed. */
  readonly command: string
  /** ISO 8601. */
  readonly at: string
  /** Machine, versions, settings. */
  readonly conditions: readonly string[]
  readonly tables: readonly Table[]
  readonly plots: readonly Plot[]
  /** Why figures are void, or why the run ended early; empty: all is well. */
  readonly problems: readonly string[]
  /** Everything that was measured. */
  readonly data: unknown
}

/** Writes `<time>-<name>.md`, `.json` and `.html` into `folder`, and returns their common path without the ending. */
export function saveReport(report: Report, folder = fileURLToPath(new URL('../results/', import.meta.url))): string {
  mkdirSync(folder, { recursive: true })
  const base = `${folder}${report.at.replaceAll(/[:.]/g, '-')}-${report.name}`
  writeFileSync(`${base}.md`, renderMarkdown(report))
  writeFileSync(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(`${base}.html`, renderHtml(report))
  return base
}
