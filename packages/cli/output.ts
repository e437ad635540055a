import { stripVTControlCharacters, styleText } from 'node:util'

type Colour = 'green' | 'yellow' | 'red' | 'bold' | 'dim'

/** Where a command writes: results to stdout, what it is doing and what went wrong to stderr. */
export class Output {
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #hasProgress = false

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdout = stdout
    this.#stderr = stderr
    // A terminal or a pipe that is gone must not end a box before it has drained.
    for (const stream of [stdout, stderr]) stream.on('error', () => undefined)
  }

  /** A line of the result. */
  line(text = ''): void {
    this.#clearProgress()
    this.#stdout.write(`${text}\n`)
  }

  /** The result as JSON. */
  json(value: unknown): void {
    this.line(JSON.stringify(value, null, 2))
  }

  /** A line for the person, not part of the result. */
  note(text: string): void {
    this.#clearProgress()
    this.#stderr.write(`${text}\n`)
  }

  /** What is being done now: redrawn on a terminal, nothing elsewhere. */
  progress(text: string): void {
    if (!this.#stderr.isTTY) return
    this.#clearProgress()
    this.#stderr.write(text.slice(0, (this.#stderr.columns || 80) - 1))
    this.#hasProgress = true
  }

  /** `text` in colour; plain where stdout is no terminal or NO_COLOR is set. */
  paint(colour: Colour, text: string): string {
    return styleText(colour, text, { stream: this.#stdout })
  }

  #clearProgress(): void {
    if (this.#hasProgress) this.#stderr.write('\r\u001B[2K')
    this.#hasProgress = false
  }
}

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number
  readonly isNumber?: boolean
}

/** Lines of a table with a title line; numbers to the right. Control characters of the data are left out. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(String(value(row))))),
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((cell, at) =>
        columns[at]?.isNumber === true ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** Names and values, one a line, aligned. */
export function facts(pairs: readonly (readonly [string, string | number])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`.trimEnd())
}

/** A buyer's name must not move the cursor of a seller's terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return stripVTControlCharacters(text).replace(/[\u0000-\u001F\u007F-\u009F]/g, ' ')
}
