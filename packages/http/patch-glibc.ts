/**
 * Makes a Linux x64 shared library that was linked against glibc 2.38 load on glibc 2.36 and 2.37. Why, and what
 * was tried instead: docs/adr/0002-uwebsockets-loader.md.
 */

/**
 * C23 renamed three functions, which is all that `uWebSockets.js` takes from glibc 2.38. The old name is the tail of
 * the new one, so the string table needs no change. The old functions differ in one way: they do not read `0b101`.
 */
const C23_PREFIX = '__isoc23_'
const RENAMED = ['__isoc23_sscanf', '__isoc23_strtol', '__isoc23_strtoul']

/** The version every x64 glibc gives to its oldest functions, the three above among them. */
const OLD_VERSION = 'GLIBC_2.2.5'
const NEW_VERSION = 'GLIBC_2.38'

const ELF64_LITTLE_ENDIAN = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])
const ET_DYN = 3
const EM_X86_64 = 62
const EHDR_BYTES = 64
const SHDR_BYTES = 64
const SYM_BYTES = 24
const VERSYM_BYTES = 2
const VERNEED_BYTES = 16
const VERNAUX_BYTES = 16
const SHT_STRTAB = 3
const SHT_DYNSYM = 11
const SHT_GNU_VERNEED = 0x6ffffffe
const SHT_GNU_VERSYM = 0x6fffffff
const VER_FLG_WEAK = 2
/** The top bit of a version index hides the symbol; it is no part of the index. */
const VERSION_INDEX_MASK = 0x7fff

interface Section {
  readonly type: number
  readonly link: number
  readonly bytes: Buffer
}

/** The parts of a library that say which version of which foreign function it wants. All are views of one buffer. */
interface DynamicTables {
  readonly symbols: Buffer
  readonly strings: Buffer
  /** One version index for each symbol. */
  readonly versions: Buffer
  readonly needs: Buffer
}

/** Where libc's old and new version stand in the needs section. */
interface LibcNeeds {
  readonly oldIndex: number
  readonly newIndex: number
  /** The `vna_flags` of the new version. */
  readonly newFlags: Buffer
}

/**
 * Returns a changed copy. In `.dynsym` the three names lose their prefix, their `.gnu.version` entry becomes that of
 * GLIBC_2.2.5, and the GLIBC_2.38 need of libc.so.6 becomes weak, so that the loader no longer insists on it.
 * Undefined symbols are not in the hash table, so nothing else refers to the names.
 *
 * Throws a plain Error that says what is wrong when `library` is not such a library, is damaged, or takes anything
 * else from glibc 2.38.
 */
export function patchGlibc(library: Buffer): Buffer {
  const copy = Buffer.from(library)
  const tables = findDynamicTables(copy)
  const needs = findLibcNeeds(tables)
  renameSymbols(tables, needs)
  needs.newFlags.writeUInt16LE(needs.newFlags.readUInt16LE(0) | VER_FLG_WEAK, 0)
  return copy
}

function renameSymbols({ symbols, strings, versions }: DynamicTables, needs: LibcNeeds): void {
  const renamed: string[] = []
  for (let index = 0; index < symbols.length / SYM_BYTES; index++) {
    const version = view(versions, index * VERSYM_BYTES, VERSYM_BYTES, 'a symbol version')
    if ((version.readUInt16LE(0) & VERSION_INDEX_MASK) !== needs.newIndex) continue
    const symbol = view(symbols, index * SYM_BYTES, SYM_BYTES, 'a symbol')
    const nameOffset = symbol.readUInt32LE(0)
    const name = stringAt(strings, nameOffset)
    if (!RENAMED.includes(name)) throw new Error(`cannot patch: ${name} of ${NEW_VERSION} has no known older form`)
    symbol.writeUInt32LE(nameOffset + C23_PREFIX.length, 0)
    version.writeUInt16LE(needs.oldIndex, 0)
    renamed.push(name)
  }
  if (renamed.sort().join() !== RENAMED.join()) {
    throw new Error(`cannot patch: expected the symbols ${RENAMED.join(', ')}, found ${renamed.join(', ') || 'none'}`)
  }
}

function findLibcNeeds({ needs, strings }: DynamicTables): LibcNeeds {
  let needAt = 0
  for (;;) {
    const need = view(needs, needAt, VERNEED_BYTES, 'a version need')
    if (stringAt(strings, need.readUInt32LE(4)) === 'libc.so.6') {
      return readLibcNeeds(needs, strings, needAt + need.readUInt32LE(8), need.readUInt16LE(2))
    }
    const next = need.readUInt32LE(12)
    if (next === 0) throw new Error('cannot patch: the library does not need libc.so.6')
    needAt += next
  }
}

function readLibcNeeds(needs: Buffer, strings: Buffer, firstAt: number, count: number): LibcNeeds {
  const found = new Map<string, Buffer>()
  let versionAt = firstAt
  for (let index = 0; index < count; index++) {
    const version = view(needs, versionAt, VERNAUX_BYTES, 'a version of libc.so.6')
    found.set(stringAt(strings, version.readUInt32LE(8)), version)
    versionAt += version.readUInt32LE(12)
  }
  const old = found.get(OLD_VERSION)
  const fresh = found.get(NEW_VERSION)
  if (old === undefined || fresh === undefined) {
    throw new Error(`cannot patch: the library does not need both ${OLD_VERSION} and ${NEW_VERSION}`)
  }
  return { oldIndex: old.readUInt16LE(6), newIndex: fresh.readUInt16LE(6), newFlags: fresh.subarray(4, 6) }
}

function findDynamicTables(elf: Buffer): DynamicTables {
  const sections = readSections(elf)
  const symbols = sectionOfType(sections, SHT_DYNSYM, '.dynsym')
  const strings = sections[symbols.link]
  if (strings === undefined) throw new Error('damaged ELF file: .dynsym names no string table')
  const versions = sectionOfType(sections, SHT_GNU_VERSYM, '.gnu.version').bytes
  const needs = sectionOfType(sections, SHT_GNU_VERNEED, '.gnu.version_r').bytes
  return { symbols: symbols.bytes, strings: strings.bytes, versions, needs }
}

function sectionOfType(sections: readonly Section[], type: number, name: string): Section {
  const section = sections.find((candidate) => candidate.type === type)
  if (section === undefined) throw new Error(`damaged ELF file: no ${name} section`)
  return section
}

function readSections(elf: Buffer): Section[] {
  if (elf.length < EHDR_BYTES || !elf.subarray(0, ELF64_LITTLE_ENDIAN.length).equals(ELF64_LITTLE_ENDIAN)) {
    throw new Error('not a 64-bit little-endian ELF file')
  }
  if (elf.readUInt16LE(16) !== ET_DYN || elf.readUInt16LE(18) !== EM_X86_64) {
    throw new Error('not an x64 shared library')
  }
  const tableAt = Number(elf.readBigUInt64LE(40))
  const entryBytes = elf.readUInt16LE(58)
  const count = elf.readUInt16LE(60)
  if (entryBytes !== SHDR_BYTES) throw new Error('damaged ELF file: unknown section header size')
  const table = view(elf, tableAt, count * SHDR_BYTES, 'the section header table')
  return Array.from({ length: count }, (_, index) => readSection(elf, table.subarray(index * SHDR_BYTES), index))
}

function readSection(elf: Buffer, header: Buffer, index: number): Section {
  const type = header.readUInt32LE(4)
  const isRead = type === SHT_DYNSYM || type === SHT_GNU_VERNEED || type === SHT_GNU_VERSYM || type === SHT_STRTAB
  // Other sections may lie anywhere (.bss is not in the file at all), and nobody looks at them.
  const bytes = isRead
    ? view(elf, Number(header.readBigUInt64LE(24)), Number(header.readBigUInt64LE(32)), `section ${index}`)
    : elf.subarray(0, 0)
  return { type, link: header.readUInt32LE(40), bytes }
}

function stringAt(strings: Buffer, start: number): string {
  const end = strings.indexOf(0, start)
  if (end < 0) throw new Error('damaged ELF file: a name lies outside its string table')
  return strings.toString('latin1', start, end)
}

/** A view like `subarray`, which would silently shorten what reaches past the end. */
function view(bytes: Buffer, start: number, length: number, what: string): Buffer {
  if (start + length > bytes.length) throw new Error(`damaged ELF file: ${what} reaches past the end`)
  return bytes.subarray(start, start + length)
}
