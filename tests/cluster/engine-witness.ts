import { type Receiver, RedisEngine, type RedisEngineOptions, type Stream, redisOptions } from '@holdfast/server'
import { systemClock } from '../../packages/server/src/clock.js'
import { systemRandom } from '../../packages/server/src/random.js'
import { silentLogger } from '../../packages/server/src/telemetry/log.js'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'

/** How much is kept in these tests: everything. */
export const KEPT = { size: 100_000, ttlMs: 3_600_000 }

const ALL = { limit: 100_000, bytesMax: Infinity, keep: 'oldest' } as const

/** Milliseconds within which a fault must be over, whatever it was. */
const RECOVERED_MS_MAX = 15_000

/** A message that the engine has acknowledged. */
export interface Acknowledged {
  readonly channel: string
  readonly epoch: string
  readonly offset: number
  readonly id: string
  readonly data: string
}

/** An engine as a node has it, and what it was told: acknowledgements, announcements, changes of `problem`. */
export class Witness {
  readonly engine: RedisEngine
  readonly name: string
  readonly acknowledged: Acknowledged[] = []
  readonly heard: Acknowledged[] = []
  readonly rotations: { readonly channel: string; readonly epoch: string }[] = []
  readonly problems: (string | undefined)[] = []
  uncertainties = 0
  refused = 0
  /** How long the slowest publish took that was refused, in milliseconds. */
  slowestRefusalMs = 0
  #published = 0

  private constructor(name: string, engine: RedisEngine) {
    this.name = name
    this.engine = engine
    engine.watch((problem) => void this.problems.push(problem))
  }

  /** Starts one that listens to `channels`. */
  static async start(
    name: string,
    url: string,
    options: Partial<RedisEngineOptions> & { readonly channels: readonly string[] },
  ): Promise<Witness> {
    const { channels, ...more } = options
    const parts = { clock: systemClock, random: systemRandom, log: silentLogger }
    const witness = new Witness(name, new RedisEngine({ ...redisOptions(url), ...more }, parts))
    await witness.engine.start()
    for (const channel of channels) await witness.engine.listen(streamOf(channel), witness.#receiver(channel))
    return witness
  }

  /** Publishes something new; whether it was acknowledged. */
  async publish(channel: string): Promise<boolean> {
    this.#published += 1
    const data = JSON.stringify(`${this.name} ${this.#published}`)
    const before = machineTime()
    try {
      const outcome = await this.engine.publish({
        stream: streamOf(channel),
        event: 'e',
        data,
        from: { system: true },
        at: '',
        retention: KEPT,
      })
      if (outcome.kind !== 'published') throw new Error(outcome.kind)
      const { epoch, offset, id } = outcome
      this.acknowledged.push({ channel, epoch, offset, id, data })
      return true
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'engine_unavailable') throw error
      this.refused += 1
      this.slowestRefusalMs = Math.max(this.slowestRefusalMs, machineTime() - before)
      return false
    }
  }

  /** Publishes to all channels in turn until `stop` is called, which resolves when the last has been answered. */
  load(channels: readonly string[], everyMs: number): () => Promise<void> {
    let isOver = false
    const running = (async () => {
      for (let turn = 0; !isOver; turn += 1) {
        await this.publish(channels[turn % channels.length] ?? '')
        await pause(everyMs)
      }
    })()
    return async () => {
      isOver = true
      await running
    }
  }

  /** Resolves when nothing is wrong any more. */
  async recovered(): Promise<void> {
    await eventually(
      `${this.name} has recovered (${this.engine.problem() ?? ''})`,
      () => this.engine.problem() === undefined,
      RECOVERED_MS_MAX,
    )
  }

  /** What is stored, and the epoch of it. */
  async stored(channel: string): Promise<{ epoch: string; messages: Acknowledged[] }> {
    const { epoch, messages } = await this.engine.read(streamOf(channel), KEPT, ALL)
    return {
      epoch,
      messages: messages.map(({ offset = 0, id, data }) => ({ channel, epoch, offset, id, data })),
    }
  }

  close(): Promise<void> {
    return this.engine.close()
  }

  #receiver(channel: string): Receiver {
    return {
      message: (epoch, { offset = 0, id, data }) => void this.heard.push({ channel, epoch, offset, id, data }),
      signal: () => undefined,
      members: () => undefined,
      rotated: (epoch) => void this.rotations.push({ channel, epoch }),
      uncertain: () => void (this.uncertainties += 1),
    }
  }
}

/** The stream of a channel in these tests. */
export function streamOf(channel: string): Stream {
  return { tenant: 'acme', channel }
}

/** I4: the places that hold more than one payload, over everything that anybody was told and all that is stored. */
export function contradictions(...told: (readonly Acknowledged[])[]): string[] {
  const places = new Map<string, string>()
  return told.flat().flatMap(({ channel, epoch, offset, id, data }) => {
    const place = `${channel} ${epoch} ${offset}`
    const payload = `${id} ${data}`
    const other = places.get(place)
    places.set(place, payload)
    return other === undefined || other === payload ? [] : [`${place}: ${other} and ${payload}`]
  })
}

/** I5: what was acknowledged under an epoch that still is in force, and is not stored. */
export function lostInSilence(
  acknowledged: readonly Acknowledged[],
  stored: { readonly epoch: string; readonly messages: readonly Acknowledged[] },
): string[] {
  const ids = new Set(stored.messages.map(({ id }) => id))
  return acknowledged
    .filter(({ epoch, id }) => epoch === stored.epoch && !ids.has(id))
    .map(({ channel, epoch, offset }) => `${channel} ${epoch} ${offset}`)
}
