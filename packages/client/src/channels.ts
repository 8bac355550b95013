import type { Position } from '@holdfast/protocol'
import { ChannelCore, type ChannelMessage } from './channel-core.js'
import { Channel } from './channel.js'
import { startOf } from './dispatcher.js'
import type { HoldfastError } from './errors.js'
import type { Link, Welcome } from './link.js'
import type { Operation } from './operation.js'
import type { Wire } from './wire.js'

/** The channels of a client, and how they go on from one connection to the next. */
export class Channels {
  readonly wire: Wire
  readonly #cores = new Map<string, ChannelCore>()
  /** The channel of the user's notifications, once a welcome has named it. */
  inbox: string | undefined

  constructor(wire: Wire) {
    this.wire = wire
  }

  /** The channel of this name; the same one every time. */
  get(name: string): ChannelCore {
    const core = this.#cores.get(name) ?? new ChannelCore(name, this.wire)
    this.#cores.set(name, core)
    return core
  }

  /** The channel of this name, with a facade for the application; the same one every time. */
  open(name: string): ChannelCore {
    const core = this.get(name)
    core.facade ??= new Channel(core)
    return core
  }

  /** The operation, if somebody watches it. */
  operation(id: string): Operation | undefined {
    return this.#cores.get(`operation:${id}`)?.operation
  }

  /** Forgets a channel that nobody wishes for, or may wish for. */
  release({ name, facade, subscription }: ChannelCore): void {
    if (!facade && !subscription.wanted) this.#cores.delete(name)
  }

  /** Where every channel would go on. */
  positions(): [string, Position][] {
    return [...this.#cores.values()].flatMap(({ name, subscription, dispatcher: { head } }) =>
      subscription.wanted && head ? [[name, head]] : [],
    )
  }

  /** Hands a message to its channel. */
  receive(message: ChannelMessage, link: Link): void {
    const core = this.#cores.get(message.channel)
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
  welcomed(link: Link, welcome: Welcome, named: Readonly<Record<string, Position>>): void {
    const live = new Set(welcome.channels)
    for (const { name, subscription, dispatcher } of this.#cores.values()) {
      const goesOn = welcome.session.resumed && (named[name] !== undefined || !dispatcher.head)
      // An inbox goes on after what its user has acknowledged, whatever the session.
      const begins = live.has(name) && (goesOn || name === this.inbox)
      if (subscription.wanted && begins) subscription.resume(link)
      else if (subscription.wanted) subscription.start(link)
      else if (welcome.session.resumed && live.has(name) && name !== this.inbox)
        void subscription.leave().catch(this.wire.report)
    }
  }

  /** A link is gone. */
  lost(link: Link): void {
    for (const { subscription } of this.#cores.values()) subscription.lost(link)
  }

  /** The server can do again what it could not. */
  retry(): void {
    for (const { subscription } of this.#cores.values()) subscription.retry()
  }

  /** Whether this link speaks for every channel. */
  settledOn(link: Link): boolean {
    return [...this.#cores.values()].every(({ subscription }) => subscription.settledOn(link))
  }

  /** The client was closed. */
  close(error: HoldfastError): void {
    for (const core of this.#cores.values()) core.close(error)
  }
}
