import { stripVTControlCharacters } from 'node:util'

/** Redraws of a terminal line, and lines in a log. */
const redrawMs = 100
const logMs = 1_000

/**
 * What a long job is doing: one line that is redrawn on a terminal; elsewhere a plain line every second, if it is another.
 * Written to stderr, so that the result on stdout can be kept.
 */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  readonly #timer: NodeJS.Timeout
  #render: () => string = () => ''
  /** The last line in a log. */
  #logged = ''

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream
    // A terminal that is gone must not end the program before it has cleaned up.
    stream.on('error', () => undefined)
    this.#timer = setInterval(() => this.#draw(), stream.isTTY ? redrawMs : logMs)
    this.#timer.unref()
  }

  get columns(): number {
    return this.#stream.columns ?? 100
  }

  /** From now on the line is what `render` returns; nothing is shown while that is empty. */
  show(render: () => string): void {
    this.#render = render
    if (this.#stream.isTTY) this.#draw()
  }

  /** A line that stays. */
  note(line: string): void {
    this.#clear()
    this.#stream.write(`${line}\n`)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#render = () => ''
    this.#clear()
  }

  #draw(): void {
    const line = this.#render()
    if (!this.#stream.isTTY) {
      if (line !== '' && line !== this.#logged) this.#stream.write(`${stripVTControlCharacters(line)}\n`)
      this.#logged = line
      return
    }
    this.#clear()
    this.#stream.write(clip(line, this.columns - 1))
  }

  #clear(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001B[2K')
  }
}

/** `████████░░░░` */
export function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** A line that wraps cannot be redrawn; one that is too long loses its colours with its end. */
function clip(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line)
  return plain.length <= columns ? line : plain.slice(0, columns)
}
