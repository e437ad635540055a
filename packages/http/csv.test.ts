import fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvLine, csvTime } from './csv.ts'
import type { CsvCell } from './csv.ts'

it.each<[string, readonly CsvCell[], string]>([
  ['plain cells', ['a', 1, true, null, 'ö 👟'], 'a,1,true,,ö 👟\r\n'],
  ['an empty line', [], '\r\n'],
  ['a comma', ['a,b'], '"a,b"\r\n'],
  ['a quote', ['a"b"'], '"a""b"""\r\n'],
  ['line breaks', ['a\nb', 'a\rb', 'a\r\nb'], '"a\nb","a\rb","a\r\nb"\r\n'],
  ['spaces as they are', [' a '], ' a \r\n'],
  ['a formula', ['=1+1'], "'=1+1\r\n"],
  ['a formula with a quote', ['=HYPERLINK("http://x")'], `"'=HYPERLINK(""http://x"")"\r\n`],
  ['a phone number', ['+49 30 1'], "'+49 30 1\r\n"],
  ['a minus and an at', ['-1', '@a'], "'-1,'@a\r\n"],
  ['a tab and line breaks in front', ['\t=1', '\r=1', '\n=1'], `'\t=1,"'\r=1","'\n=1"\r\n`],
  ['wide characters', ['＝1', '＋1', '－1', '＠a'], "'＝1,'＋1,'－1,'＠a\r\n"],
  ['a formula further in', ['a=1', 'a@b.c'], 'a=1,a@b.c\r\n'],
  ['a negative number', [-5], '-5\r\n'],
])('csvLine writes %s', (_, cells, line) => {
  expect(csvLine(cells)).toBe(line)
})

/** RFC 4180, read letter by letter. */
function parse(text: string): string[][] {
  const lines: string[][] = []
  let [cells, cell, quoted] = [[] as string[], '', false]
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at)
    if (quoted) {
      if (letter !== '"') cell += letter
      else if (text.charAt(at + 1) === '"') cell += text.charAt(++at)
      else quoted = false
    } else if (letter === '"') quoted = true
    else if (letter === ',') {
      cells.push(cell)
      cell = ''
    } else if (letter === '\r' && text.charAt(at + 1) === '\n') {
      at++
      lines.push([...cells, cell])
      ;[cells, cell] = [[], '']
    } else cell += letter
  }
  return lines
}

it('csvLine is read back as it was, but for the apostrophe, and no cell begins a formula', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', ',', '"', '\r', '\n', '\t', '=', '+', '-', '@', "'", '＝', 'ö'),
  })
  fc.assert(
    fc.property(fc.array(fc.array(text, { minLength: 2, maxLength: 4 }), { maxLength: 4 }), (rows) => {
      const read = parse(rows.map((row) => csvLine(row)).join(''))
      expect(read.map((row) => row.length)).toEqual(rows.map((row) => row.length))
      for (const [row, cells] of read.entries()) {
        for (const [column, cell] of cells.entries()) {
          const given = rows[row]?.[column] ?? ''
          expect([given, `'${given}`]).toContain(cell)
          expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
        }
      }
    }),
  )
})

it('csvTime is ISO 8601 to the second', () => {
  expect(csvTime(1_795_365_010)).toBe('2026-11-22T16:30:10Z')
  expect(csvTime(0)).toBe('1970-01-01T00:00:00Z')
})
