import { decide } from '@penstock/engine/decide.ts'
import { storeContract } from '@penstock/store/contract.ts'
import { MemoryData, MemoryStore } from './memory-store.ts'

/** The model store keeps the same contract as the real one, so what is proved on it is worth something. */
storeContract(
  'MemoryStore',
  () => {
    const data = new MemoryData()
    return {
      store: new MemoryStore(data),
      reopen: () => new MemoryStore(data),
      readWritten: () => ({
        entries: data.entries,
        events: data.events,
        balances: Object.fromEntries(data.balances),
      }),
      dispose: () => undefined,
    }
  },
  decide,
)
