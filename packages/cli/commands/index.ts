import { audit } from './audit.ts'
import { configPrint } from './config.ts'
import { customerErase } from './customer.ts'
import { doctor } from './doctor.ts'
import { dropExport, dropImport, dropList } from './drop.ts'
import { init } from './init.ts'
import { keyCreate, keyList, keyRevoke, keyRoll } from './key.ts'
import { migrate } from './migrate.ts'
import { orderList, orderRefund, orderShow } from './order.ts'
import { seed } from './seed.ts'
import { startCommand } from './start.ts'
import {
  webhookCreate,
  webhookDelete,
  webhookDeliveries,
  webhookDisable,
  webhookEnable,
  webhookList,
  webhookReplay,
  webhookRetry,
  webhookRotate,
} from './webhook.ts'
import type { Command, Option } from '../command.ts'

/** Every command, in the order of the help. docs/cli.md has a section for each, which a test checks. */
export const commands: readonly Command[] = [
  init,
  startCommand,
  doctor,
  configPrint,
  migrate,
  audit,
  seed,
  dropImport,
  dropExport,
  dropList,
  orderList,
  orderShow,
  orderRefund,
  customerErase,
  keyCreate,
  keyList,
  keyRoll,
  keyRevoke,
  webhookCreate,
  webhookList,
  webhookRotate,
  webhookDisable,
  webhookEnable,
  webhookDelete,
  webhookDeliveries,
  webhookRetry,
  webhookReplay,
]

/** What each first word of a two-word command is about. */
export const groups: Readonly<Record<string, string>> = {
  config: 'settings',
  drop: 'drops of a running box, and files of them',
  order: 'orders of a running box',
  customer: 'customers of a running box',
  key: 'API keys of a running box',
  webhook: 'webhook endpoints of a running box, and what was sent to them',
}

/** Every command takes it. */
export const jsonOption: Option = { flags: '--json', summary: 'print the result as JSON' }
