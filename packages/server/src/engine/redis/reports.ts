import type { Cancel } from '../../clock.js'
import type { Random } from '../../random.js'
import { type Logger, errorFields } from '../../telemetry/log.js'
import { type LeftReport, REPORT_FIELD_BYTES_MAX, type RefusedReport, type Reports } from '../engine.js'
import { Backoff } from './backoff.js'
import type { Keys } from './keys.js'
import { asList, asNumber, asText } from './reply.js'
import { ReportsWake, type ReportsWakeParts } from './reports-wake.js'
import { HOLD_LEASE, RELEASE_LEASE } from './scripts/lease.js'
import { FINISH_REPORTS, REFUSE_REPORT, TAKE_REPORTS } from './scripts/report.js'
import type { Commands, Reply, ShardCommands } from './shard.js'

/** What reports are read with. */
export interface RedisReportsParts extends ReportsWakeParts {
  readonly commands: ShardCommands
  readonly keys: Keys
  readonly random: Random
  readonly log: Logger
}

/** A reader that does not say a word for so long is taken for dead, and another reads. */
const LEASE_MS = 5_000

/** How often the others look whether it is. */
const STANDBY_MS = 1_500

/** How long at most a reader waits for something new before it looks: by then it also has to renew its lease. */
const IDLE_MS = 1_000

/** Reports in one batch, and about how many bytes of them. The more there are of one operation, the fewer times it is written. */
const BATCH_MAX = 2_000
const BATCH_BYTES_MAX = 4_194_304

/** Fields that are handed out of one report: what is beyond is none that anybody could mean. */
const FIELDS_MAX = 16

/** How many refused reports are kept, about, and for how long after the last. */
const REFUSED_MAX = 10_000
const REFUSED_MS = 7 * 86_400_000

/** A stream and a consumer group, of which one node reads at a time. */
export class RedisReports implements Reports {
  readonly #parts: RedisReportsParts
  readonly #readings = new Set<Reading>()

  constructor(parts: RedisReportsParts) {
    this.#parts = parts
  }

  consume(node: string, take: (reports: readonly LeftReport[], behind: number) => Promise<void>): () => Promise<void> {
    const reading = new Reading(this.#parts, node, take)
    this.#readings.add(reading)
    const ended = reading.run().finally(() => this.#readings.delete(reading))
    return () => {
      reading.stop()
      return ended
    }
  }

  /** Ends what nobody has ended. */
  close(): void {
    for (const reading of this.#readings) reading.stop()
  }

  async refuse(refused: readonly RefusedReport[]): Promise<void> {
    const { commands, keys } = this.#parts
    const key = keys.reports.refused
    const command = commands.of(key)
    const bounds = [String(REFUSED_MAX), String(REFUSED_MS)]
    // Sent one behind the other, and so in order.
    await Promise.all(
      refused.map(({ entry, fields, code, reason }) => {
        const told = Object.entries({ ...fields, code, reason }).flat()
        return command.run(REFUSE_REPORT, [key], [entry, ...bounds, ...told])
      }),
    )
  }
}

interface Batch {
  readonly reports: readonly LeftReport[]
  /** Reports that are not done yet, these among them. */
  readonly waiting: number
  /** The newest entry that was ever handed out. */
  readonly newest: string
}

/** One node that reads, or waits until it may. */
class Reading {
  readonly #parts: RedisReportsParts
  readonly #node: string
  readonly #take: (reports: readonly LeftReport[], behind: number) => Promise<void>
  readonly #wake: ReportsWake
  readonly #backoff: Backoff
  #isStopped = false
  #endPause: (() => void) | undefined
  #told: string | undefined

  constructor(
    parts: RedisReportsParts,
    node: string,
    take: (reports: readonly LeftReport[], behind: number) => Promise<void>,
  ) {
    this.#parts = parts
    this.#node = node
    this.#take = take
    this.#wake = new ReportsWake(parts)
    this.#backoff = new Backoff(parts.random)
  }

  /** Resolves after `stop`, when the batch under way has been taken. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#step()
        this.#backoff.succeeded()
        this.#told = undefined
      } catch (error) {
        this.#tell(error)
        await this.#pause(this.#backoff.next())
      }
    }
    this.#wake.close()
    const { reader } = this.#parts.keys.reports
    await this.#commands.run(RELEASE_LEASE, [reader], [this.#node]).catch(() => undefined)
  }

  stop(): void {
    this.#isStopped = true
    this.#wake.close()
    this.#endPause?.()
  }

  get #commands(): Commands {
    return this.#parts.commands.of(this.#parts.keys.reports.left)
  }

  async #step(): Promise<void> {
    const batch = await this.#next()
    // Those who wait do not all look at the same time.
    if (batch === undefined) return this.#pause(STANDBY_MS * (0.5 + this.#parts.random.fraction()))
    const { left } = this.#parts.keys.reports
    if (batch.reports.length === 0) return this.#wake.wait(left, batch.newest, IDLE_MS)
    const stopRenewing = this.#renew()
    try {
      await this.#take(batch.reports, batch.waiting - batch.reports.length)
    } finally {
      stopRenewing()
    }
    await this.#finish(batch.reports)
  }

  /** The next batch; undefined where another node reads. */
  async #next(): Promise<Batch | undefined> {
    const { left, reader } = this.#parts.keys.reports
    const bounds = [BATCH_MAX, REPORT_FIELD_BYTES_MAX, FIELDS_MAX, BATCH_BYTES_MAX].map(String)
    const args = [this.#node, String(LEASE_MS), ...bounds]
    const [isOurs, waiting, newest, ...entries] = asList(await this.#commands.run(TAKE_REPORTS, [left, reader], args))
    if (asNumber(isOurs) === 0) return undefined
    return { reports: entries.map(reportOf), waiting: asNumber(waiting), newest: asText(newest) }
  }

  async #finish(reports: readonly LeftReport[]): Promise<void> {
    const { left, reader } = this.#parts.keys.reports
    const args = [this.#node, ...reports.map(({ entry }) => entry)]
    await this.#commands.run(FINISH_REPORTS, [left, reader], args)
  }

  /** Holds the lease while a batch is taken, however long that takes. */
  #renew(): Cancel {
    const { reader } = this.#parts.keys.reports
    return this.#parts.clock.every(LEASE_MS / 3, () => {
      this.#commands.run(HOLD_LEASE, [reader], [this.#node, String(LEASE_MS)]).catch(() => undefined)
    })
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#endPause = undefined
        resolve()
      }
      const cancel = this.#parts.clock.after(ms, end)
      this.#endPause = end
    })
  }

  /** That the server is away is said by its link; what else there is, is said once. */
  #tell(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (reason === this.#told) return
    this.#told = reason
    this.#parts.log.warn({ event: 'reports.unread', ...errorFields(error) }, 'reports cannot be read now')
  }
}

function reportOf(reply: Reply): LeftReport {
  const [entry, flat] = asList(reply)
  const texts = asList(flat).map(asText)
  const fields = Array.from({ length: texts.length / 2 }, (_, at) => [texts[at * 2] ?? '', texts[at * 2 + 1] ?? ''])
  return { entry: asText(entry), fields: Object.fromEntries(fields) as Record<string, string> }
}
