import type { Counts, Member } from '@holdfast/protocol'
import {
  type MemberChange,
  type MemberList,
  type Members,
  type PresenceEntry,
  type Stream,
  streamKey,
} from '../engine.js'

interface Present {
  info: string | undefined
  /** The connection that owns each session's entry. */
  readonly owners: Map<string, string>
}

interface Room {
  readonly users: Map<string, Present>
  connections: number
}

/** Who is in which channel, in tables. */
export class MemoryMembers implements Members {
  readonly #rooms = new Map<string, Room>()

  /** Channels with somebody in them. */
  get size(): number {
    return this.#rooms.size
  }

  async enter(stream: Stream, entry: PresenceEntry): Promise<MemberChange> {
    const room = this.#room(streamKey(stream))
    const present = room.users.get(entry.user) ?? { info: entry.info, owners: new Map<string, string>() }
    const before = present.owners.size
    const changed = !present.owners.has(entry.session) || present.info !== entry.info
    if (!present.owners.has(entry.session)) room.connections += 1
    present.owners.set(entry.session, entry.connection)
    present.info = entry.info
    room.users.set(entry.user, present)
    return { member: asMember(entry.user, present), counts: countsOf(room), before, changed }
  }

  async leave(stream: Stream, entry: PresenceEntry): Promise<MemberChange> {
    const key = streamKey(stream)
    const room = this.#rooms.get(key)
    const present = room?.users.get(entry.user)
    if (room === undefined || present === undefined || present.owners.get(entry.session) !== entry.connection) {
      const before = present?.owners.size ?? 0
      const counts = room ? countsOf(room) : { members: 0, connections: 0 }
      return { member: { user: entry.user, connections: before }, counts, before, changed: false }
    }
    const before = present.owners.size
    present.owners.delete(entry.session)
    room.connections -= 1
    if (present.owners.size === 0) room.users.delete(entry.user)
    if (room.users.size === 0) this.#rooms.delete(key)
    return { member: asMember(entry.user, present), counts: countsOf(room), before, changed: true }
  }

  async list(stream: Stream, limit: number): Promise<MemberList> {
    const room = this.#rooms.get(streamKey(stream))
    const members: Member[] = []
    if (room === undefined) return { members, counts: { members: 0, connections: 0 } }
    for (const [user, present] of room.users) {
      if (members.length >= limit) break
      members.push(asMember(user, present))
    }
    return { members, counts: countsOf(room) }
  }

  #room(key: string): Room {
    const room = this.#rooms.get(key) ?? { users: new Map<string, Present>(), connections: 0 }
    this.#rooms.set(key, room)
    return room
  }
}

function asMember(user: string, present: Present): Member {
  const connections = present.owners.size
  return present.info === undefined
    ? { user, connections }
    : { user, connections, info: JSON.parse(present.info) as unknown }
}

function countsOf(room: Room): Counts {
  return { members: room.users.size, connections: room.connections }
}
