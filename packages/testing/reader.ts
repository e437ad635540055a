/** For programs outside `packages/` that look into the database of a box. */
export { openReader, readSqliteVersion } from '@penstock/store-sqlite/open.ts'
