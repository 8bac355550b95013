import type { Script } from '../shard.js'
import { COMING, CONCLUDE, MARK, REPORT, VERIFY } from '../muster-scripts.js'
import { ADD_TO_COUNTER } from './counter.js'
import { PUT_INDEXED, RANGE_INDEXED, REMOVE_INDEXED } from './sorted-index.js'
import { HOLD_LEASE, RELEASE_LEASE } from './lease.js'
import { BEGIN, READ, ROTATE, TOP } from './log.js'
import { ENTER, LEAVE, LET_GO, LIST_MEMBERS } from './member.js'
import { RENEW_NODE } from './node.js'
import { PUBLISH } from './publish.js'
import { TAKE_TOKENS } from './rate.js'
import { PUT_RECORD, TAKE_RECORD } from './record.js'
import { FINISH_REPORTS, REFUSE_REPORT, TAKE_REPORTS } from './report.js'
import { LIST_ENTRIES, PUT_ENTRY, REMOVE_ENTRY, TOTAL_ENTRIES } from './register.js'

/** Every script, to be loaded before it is needed. */
export const SCRIPTS: readonly Script[] = [
  PUBLISH,
  READ,
  TOP,
  BEGIN,
  ROTATE,
  PUT_RECORD,
  TAKE_RECORD,
  HOLD_LEASE,
  RELEASE_LEASE,
  ADD_TO_COUNTER,
  ENTER,
  LEAVE,
  LET_GO,
  LIST_MEMBERS,
  RENEW_NODE,
  TAKE_TOKENS,
  PUT_ENTRY,
  REMOVE_ENTRY,
  TOTAL_ENTRIES,
  LIST_ENTRIES,
  PUT_INDEXED,
  REMOVE_INDEXED,
  RANGE_INDEXED,
  TAKE_REPORTS,
  FINISH_REPORTS,
  REFUSE_REPORT,
  MARK,
  COMING,
  REPORT,
  CONCLUDE,
  VERIFY,
]
