import type { Position } from '@holdfast/protocol'
import { ChannelCore, type ChannelMessage } from './channel-core.js'
import { Channel } from './channel.js'
import { startOf } from './dispatcher.js'
import type { HoldfastError } from './errors.js'
import type { Link, Welcome } from './link.js'
import type { Operation } from './operation.js'
import { CHANNELS_MAX } from './session.js'
import type { Wire } from './wire.js'

/** Names that are known at least before it is looked for those that nobody can ask for any more. */
const KNOWN_MIN = 64

/** The channels of a client, and how they go on from one connection to the next. */
export class Channels {
  readonly wire: Wire
  /** Those that go on though the application may hold nothing of them. */
  readonly #used = new Map<string, ChannelCore>()
  /** Those, and all of which it holds something: an application that opens thousands of names must not fill the memory. */
  readonly #known = new Map<string, WeakRef<ChannelCore>>()
  #sweepAt = KNOWN_MIN
  /** The channel of the user's notifications, once a welcome has named it. */
  inbox: string | undefined

  constructor(wire: Wire) {
    this.wire = wire
  }

  /** The channel of this name; the same one as long as anybody uses it or holds something of it. */
  get(name: string): ChannelCore {
    return this.#known.get(name)?.deref() ?? this.#make(name)
  }

  #make(name: string): ChannelCore {
    if (this.#known.size >= this.#sweepAt) this.#sweep()
    const core = new ChannelCore(name, this.wire, () => this.#used.set(name, core))
    this.#known.set(name, new WeakRef(core))
    return core
  }

  /** Lets go of what nobody uses any more, and forgets what is gone. */
  #sweep(): void {
    let held = 0
    for (const [name, known] of this.#known) {
      const core = known.deref()
      if (!core) this.#known.delete(name)
      // What is let go of now may be gone the next time.
      else if (core.isUsed || !this.#used.delete(name)) held += 1
    }
    this.#sweepAt = this.#known.size + held + KNOWN_MIN
  }

  /** The channel of this name, with a facade for the application; the same one every time. */
  open(name: string): ChannelCore {
    const core = this.get(name)
    core.facade ??= new Channel(core)
    return core
  }

  /** The operation, if somebody watches it. */
  operation(id: string): Operation | undefined {
    return this.#used.get(`operation:${id}`)?.operations.values().next().value
  }

  /** Where every channel would go on. */
  positions(): [string, Position][] {
    return [...this.#used.values()].flatMap(({ name, subscription, dispatcher: { head } }) =>
      subscription.wanted && head ? [[name, head]] : [],
    )
  }

  /** Hands a message to its channel. */
  receive(message: ChannelMessage, link: Link): void {
    const core = this.#used.get(message.channel)
    if (core?.subscription.wanted) core.receive(message, link)
    // The server began the inbox before anybody listened; whoever does later starts there.
    else if (message.type === 'subscribed' && message.channel === this.inbox)
      this.get(message.channel).subscription.startAt(startOf(message))
  }

  /** Looks for the inbox: what a new session begins with is the server's choice, so what stands there under `user:` is the user's own. */
  findInbox({ session, channels }: Welcome): string | undefined {
    if (!session.resumed) this.inbox = channels.find((name) => name.startsWith('user:'))
    return this.inbox
  }

  /** Begins every channel on a new link: those that the session resumed go on by themselves, the others are asked for. */
  welcomed(link: Link, { session, channels }: Welcome, named: Readonly<Record<string, Position>>): void {
    for (const { name, subscription } of this.#used.values()) {
      if (!subscription.wanted) continue
      // An inbox goes on after what its user has acknowledged, whatever the session.
      const goesOn = (session.resumed && named[name]) || name === this.inbox
      if (goesOn && channels.includes(name)) subscription.resume(link)
      else subscription.start(link)
    }
    if (!session.resumed) return
    for (const name of channels.slice(0, CHANNELS_MAX))
      if (name !== this.inbox && !this.#used.get(name)?.subscription.wanted) this.get(name).subscription.quit()
  }

  /** A link is gone. */
  lost(link: Link): void {
    for (const { subscription } of this.#used.values()) subscription.lost(link)
  }

  /** The server can do again what it could not. */
  retry(): void {
    for (const { subscription } of this.#used.values()) subscription.retry()
  }

  /** Whether this link speaks for every channel. */
  settledOn(link: Link): boolean {
    return [...this.#used.values()].every(({ subscription }) => subscription.settledOn(link))
  }

  /** The client was closed. */
  close(error: HoldfastError): void {
    for (const core of this.#used.values()) core.close(error)
  }
}
