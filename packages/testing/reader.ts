/** For programs outside `packages/` that look into the database of a box. */
export { openReader } from '@penstock/store-sqlite/open.ts'
