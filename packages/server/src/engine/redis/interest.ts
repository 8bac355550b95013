import { EngineUnavailableError } from '../unavailable.js'
import { type Announcement, decodeAnnouncement } from './announcement.js'

/** One who listens to a channel. Called synchronously. */
export interface Hearer {
  hear(announcement: Announcement): void
  /** Announcements may have been lost before now. */
  uncertain(): void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** A channel that somebody on this node listens to. */
interface Interested {
  /** Replaced with each change, so that one may stop listening while it hears. */
  hearers: readonly Hearer[]
  /** Those who wait for the server's word that the channel is listened to. */
  waiters: Waiter[]
  /** A link that brought this channel broke: they have to be told once it is listened to again. */
  isUncertain: boolean
}

/** What is to be told of what went wrong. */
export interface InterestTroubles {
  /** A text that is no announcement of ours; it was dropped. */
  malformed(channel: string): void
  /** One who listens threw. */
  failed(error: unknown): void
}

/** Who on this node listens to what. Many may listen to one channel: the server is asked for it once, and its texts are decoded once. */
export class Interest {
  readonly #troubles: InterestTroubles
  readonly #channels = new Map<string, Interested>()

  constructor(troubles: InterestTroubles) {
    this.#troubles = troubles
  }

  /** Channels that somebody listens to. */
  get size(): number {
    return this.#channels.size
  }

  channels(): Iterable<string> {
    return this.#channels.keys()
  }

  has(channel: string): boolean {
    return this.#channels.has(channel)
  }

  add(channel: string, hearer: Hearer): void {
    const known = this.#channels.get(channel)
    if (known === undefined) this.#channels.set(channel, { hearers: [hearer], waiters: [], isUncertain: false })
    else known.hearers = [...known.hearers, hearer]
  }

  /** Of a hearer that was added twice one goes. Answers whether nobody is left. */
  remove(channel: string, hearer: Hearer): boolean {
    const known = this.#channels.get(channel)
    const at = known?.hearers.indexOf(hearer) ?? -1
    if (known === undefined || at < 0) return false
    known.hearers = known.hearers.filter((_, index) => index !== at)
    if (known.hearers.length > 0) return false
    this.#channels.delete(channel)
    this.#fail(known, new EngineUnavailableError('nobody listens any more'))
    return true
  }

  /** Resolves when the channel is next confirmed; rejects when it cannot be. */
  confirmation(channel: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const known = this.#channels.get(channel)
      if (known === undefined) reject(new EngineUnavailableError('nobody listens'))
      else known.waiters.push({ resolve, reject })
    })
  }

  /** The server listens for us. */
  confirm(channel: string): void {
    const known = this.#channels.get(channel)
    if (known === undefined) return
    const waiters = known.waiters
    known.waiters = []
    for (const waiter of waiters) waiter.resolve()
  }

  /** The server cannot be asked to listen; those who have heard nothing yet need not wait. */
  refuse(channel: string, error: Error): void {
    const known = this.#channels.get(channel)
    if (known !== undefined) this.#fail(known, error)
  }

  /** What brought this channel broke. */
  lost(channel: string): void {
    const known = this.#channels.get(channel)
    if (known !== undefined) known.isUncertain = true
  }

  /** The channel arrives again: who listened when it broke is told. */
  restored(channel: string): void {
    const known = this.#channels.get(channel)
    if (known === undefined || !known.isUncertain) return
    known.isUncertain = false
    for (const hearer of known.hearers) this.#guarded(() => hearer.uncertain())
  }

  /** A text came. */
  hear(channel: string, text: string): void {
    const known = this.#channels.get(channel)
    // It was on its way while the last one left.
    if (known === undefined) return
    const announcement = decodeAnnouncement(text)
    if (announcement === undefined) this.#troubles.malformed(channel)
    else for (const hearer of known.hearers) this.#guarded(() => hearer.hear(announcement))
  }

  #fail(known: Interested, error: Error): void {
    const waiters = known.waiters
    known.waiters = []
    for (const waiter of waiters) waiter.reject(error)
  }

  /** One who throws must not keep the others from hearing, nor upset the connection that brought it. */
  #guarded(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#troubles.failed(error)
    }
  }
}
