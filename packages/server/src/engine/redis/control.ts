import type { Control } from '../engine.js'
import { encodeText } from './announcement.js'
import type { Announcements } from './announcements.js'
import type { Hearer } from './interest.js'
import type { Keys } from './keys.js'
import type { ShardCommands } from './shard.js'

/** Characters of a text at most. Whoever has more to say says where it is. */
export const CONTROL_TEXT_MAX: number = 262_144

/** Texts from node to node: a channel for each node, and one for all. */
export class RedisControl implements Control {
  readonly #announcements: Announcements
  readonly #commands: ShardCommands
  readonly #keys: Keys

  constructor(announcements: Announcements, commands: ShardCommands, keys: Keys) {
    this.#announcements = announcements
    this.#commands = commands
    this.#keys = keys
  }

  /** @throws RangeError when the text is longer than `CONTROL_TEXT_MAX`. */
  async send(to: string | undefined, text: string): Promise<boolean> {
    if (text.length > CONTROL_TEXT_MAX)
      throw new RangeError(`a control text holds at most ${CONTROL_TEXT_MAX} characters, received ${text.length}`)
    const channel = this.#channel(to)
    const reached = await this.#commands.of(channel).send(['SPUBLISH', channel, encodeText(text)])
    return reached !== 0
  }

  async receive(node: string, receive: (text: string) => void): Promise<() => Promise<void>> {
    const hearer: Hearer = {
      hear: (announcement) => {
        if (announcement.kind === 'text') receive(announcement.text)
      },
      // Best effort: whoever needs an answer has a deadline.
      uncertain: () => undefined,
    }
    const endOwn = await this.#announcements.listen(this.#channel(node), hearer)
    try {
      const endAll = await this.#announcements.listen(this.#channel(undefined), hearer)
      return async () => {
        endOwn()
        endAll()
      }
    } catch (error) {
      endOwn()
      throw error
    }
  }

  /** A name cannot be mistaken for all nodes: the lists of names are different ones. */
  #channel(node: string | undefined): string {
    return node === undefined ? this.#keys.own('control-all', '') : this.#keys.own('control', node)
  }
}
