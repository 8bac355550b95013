import type { Member } from '@holdfast/protocol'
import type { MemberChange, MemberList, Members, PresenceEntry, Stream } from '../engine.js'
import type { Holdings } from './holdings.js'
import type { Keys } from './keys.js'
import { asJson, asList, asNumber, asText } from './reply.js'
import { ENTER, LEAVE, LIST_MEMBERS } from './scripts/member.js'
import type { Reply, ShardCommands } from './shard.js'

/** Who is in which channel, in two hashes each. */
export class RedisMembers implements Members {
  readonly #commands: ShardCommands
  readonly #keys: Keys
  readonly #holdings: Holdings

  constructor(commands: ShardCommands, keys: Keys, holdings: Holdings) {
    this.#commands = commands
    this.#keys = keys
    this.#holdings = holdings
  }

  enter(stream: Stream, entry: PresenceEntry): Promise<MemberChange> {
    const { name, members, users, live } = this.#keys.stream(stream)
    const owner = this.#holdings.ownerOf(entry.node)
    return this.#holdings.use(owner, 'members', name, async () => {
      const args = [JSON.stringify(entry.user), entry.session, entry.connection, owner, entry.info ?? '']
      const reply = asList(await this.#commands.of(members).run(ENTER, [members, users, live], args))
      const isNew = reply[7] === 1
      return { outcome: asChange(entry.user, reply), amount: (before) => (isNew ? before + 1 : before) }
    })
  }

  leave(stream: Stream, entry: PresenceEntry): Promise<MemberChange> {
    const { name, members, users, live } = this.#keys.stream(stream)
    return this.#holdings.use(this.#holdings.ownerOf(entry.node), 'members', name, async () => {
      const args = [JSON.stringify(entry.user), entry.session, entry.connection]
      const outcome = asChange(
        entry.user,
        asList(await this.#commands.of(members).run(LEAVE, [members, users, live], args)),
      )
      return { outcome, amount: (before) => (outcome.changed ? before - 1 : before) }
    })
  }

  async find(stream: Stream, user: string): Promise<Member | undefined> {
    const { users } = this.#keys.stream(stream)
    const held = await this.#commands.of(users).send(['HGET', users, JSON.stringify(user)])
    return held === null ? undefined : asHeld(user, asText(held))
  }

  async list(stream: Stream, limit: number): Promise<MemberList> {
    const { members, users } = this.#keys.stream(stream)
    const reply = await this.#commands.of(members).run(LIST_MEMBERS, [members, users], [String(limit)])
    const [version, people, connections, ...pairs] = asList(reply)
    const listed: Member[] = []
    for (let at = 0; at < pairs.length; at += 2) {
      listed.push(asHeld(asJson(asText(pairs[at])) as string, asText(pairs[at + 1])))
    }
    return {
      members: listed,
      counts: { members: asNumber(people), connections: asNumber(connections) },
      version: asNumber(version),
    }
  }
}

function asChange(user: string, reply: readonly Reply[]): MemberChange {
  const [version, before, own, people, connections, changed, info] = reply
  return {
    member: asMember(user, asNumber(own), asText(info)),
    counts: { members: asNumber(people), connections: asNumber(connections) },
    before: asNumber(before),
    changed: changed === 1,
    version: asNumber(version),
  }
}

/** A member from '<connections>\n<info>'. */
function asHeld(user: string, held: string): Member {
  const line = held.indexOf('\n')
  return asMember(user, Number(held.slice(0, line)), held.slice(line + 1))
}

function asMember(user: string, connections: number, info: string): Member {
  return info === '' ? { user, connections } : { user, connections, info: asJson(info) }
}
