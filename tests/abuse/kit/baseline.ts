import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Holdfast } from '@holdfast/server'
import { eventually, pause } from '../../kit/deadline.js'

/** The tables of an engine. */
interface Tables {
  sizes(): Readonly<Record<string, number>>
  readonly records: { entries(): Iterable<readonly [key: string, record: unknown]> }
}

/** A node in this process whose tables are looked at. */
export interface Measured {
  readonly holdfast: Holdfast
  /** With its tables, where it tells of them. */
  readonly engine?: Tables
}

/** What may differ after an attack. */
export interface Tolerance {
  /** Tables of the engine that may have grown: what was published stays for its time. */
  readonly except?: readonly string[]
  /** How long the node has to forget (10,000). */
  readonly withinMs?: number
  /** Bytes that the memory of the process may have grown by (16 MiB). */
  readonly bytesMax?: number
}

type Sizes = Readonly<Record<string, number>>

/** What a node and its process hold while nobody attacks, to be compared with what they hold afterwards. Taken with the neighbour already there. */
export class Baseline {
  readonly #node: Measured
  readonly #sizes: Sizes
  readonly #bytes: number

  private constructor(node: Measured) {
    this.#node = node
    this.#bytes = bytesHeld()
    this.#sizes = sizesOf(node)
  }

  /** Resolves with what is held once two looks in a row find the same: what a test before left behind may still be going. */
  static async of(node: Measured): Promise<Baseline> {
    let before = ''
    await eventually('the node is at rest', async () => {
      const now = JSON.stringify(sizesOf(node))
      const isSame = now === before
      before = now
      await pause(20)
      return isSame
    })
    return new Baseline(node)
  }

  /** Resolves when no table, no kind of handle and not the memory holds more than before; rejects with what does. */
  async restored({ except = [], withinMs = 30_000, bytesMax = 16 * 1_048_576 }: Tolerance = {}): Promise<void> {
    let grown: string[] = []
    const isBack = eventually(
      'everything is back',
      () => {
        grown = this.#grown().filter((line) => !except.some((name) => line.startsWith(`${name}:`)))
        return grown.length === 0
      },
      withinMs,
    )
    await isBack.catch(() => {
      throw new Error(`still held after ${withinMs} ms: ${grown.join(', ')}`)
    })
    await eventually('the memory is released', () => bytesHeld() - this.#bytes < bytesMax, withinMs)
  }

  #grown(): string[] {
    const sizes = Object.entries(sizesOf(this.#node))
    const more = sizes.filter(([name, size]) => size > (this.#sizes[name] ?? 0) + (name === 'leases' ? OWN_LEASES : 0))
    return more.map(([name, size]) => `${name}: ${size}, was ${this.#sizes[name] ?? 0}`)
  }
}

/** Leases that a node takes for itself, perhaps only after it was measured, and keeps. */
const OWN_LEASES = 4

/** Kinds of handles that an attack could leave behind. */
const HANDLES = ['TCPSocketWrap', 'TLSWrap', 'TCPServerWrap', 'PipeWrap', 'GetAddrInfoReqWrap', 'Zlib', 'FSReqCallback']

function sizesOf({ holdfast, engine }: Measured): Sizes {
  const { connections, channels, operations, cluster } = holdfast.stats()
  const { sessionsUnsaved, retriesWaiting } = cluster
  const handles = process.getActiveResourcesInfo()
  const counted = HANDLES.map((kind) => [kind, handles.filter((handle) => handle === kind).length])
  return {
    connections,
    channels,
    operations,
    sessionsUnsaved,
    retriesWaiting,
    ...(engine && { ...engine.sizes(), records: recordsOf(engine) }),
    ...Object.fromEntries(counted),
  }
}

/** Without sessions: one waits for its client until its window is over, whoever that was. */
function recordsOf({ records }: Tables): number {
  return [...records.entries()].filter(([key]) => !key.startsWith('session:')).length
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of memory in use, rubbish not counted. */
function bytesHeld(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
