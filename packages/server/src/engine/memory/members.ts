import type { Counts, Member } from '@holdfast/protocol'
import {
  type MemberChange,
  type MemberList,
  type Members,
  type PresenceEntry,
  type Stream,
  streamKey,
} from '../engine.js'

interface Owner {
  readonly connection: string
  readonly node: string
}

interface Present {
  info: string | undefined
  /** The connection that owns each session's entry, and its node. */
  readonly owners: Map<string, Owner>
}

interface Room {
  readonly users: Map<string, Present>
  connections: number
  version: number
}

/** Who is in which channel, in tables. */
export class MemoryMembers implements Members {
  readonly #rooms = new Map<string, Room>()
  /** The highest version given so far: a channel that was empty goes on above it. */
  #versions = 0
  readonly #announce: (key: string, change: MemberChange) => void

  /** `announce` tells the listeners of a stream, by its key. */
  constructor(announce: (key: string, change: MemberChange) => void) {
    this.#announce = announce
  }

  /** Channels with somebody in them. */
  get size(): number {
    return this.#rooms.size
  }

  async enter(stream: Stream, entry: PresenceEntry): Promise<MemberChange> {
    const key = streamKey(stream)
    const room = this.#room(key)
    const present = room.users.get(entry.user) ?? { info: entry.info, owners: new Map<string, Owner>() }
    const before = present.owners.size
    const changed = !present.owners.has(entry.session) || present.info !== entry.info
    if (!present.owners.has(entry.session)) room.connections += 1
    present.owners.set(entry.session, { connection: entry.connection, node: entry.node })
    present.info = entry.info
    room.users.set(entry.user, present)
    return this.#tell(key, room, { member: asMember(entry.user, present), before, changed })
  }

  async leave(stream: Stream, { user, session, connection }: PresenceEntry): Promise<MemberChange> {
    const key = streamKey(stream)
    const room = this.#rooms.get(key)
    const present = room?.users.get(user)
    if (room !== undefined && present?.owners.get(session)?.connection === connection)
      return this.#remove(key, room, user, present, session)
    const before = present?.owners.size ?? 0
    return {
      member: { user, connections: before },
      counts: countsOf(room),
      before,
      changed: false,
      version: room?.version ?? 0,
    }
  }

  async list(stream: Stream, limit: number): Promise<MemberList> {
    const room = this.#rooms.get(streamKey(stream))
    const members: Member[] = []
    for (const [user, present] of room?.users ?? []) {
      if (members.length >= limit) break
      members.push(asMember(user, present))
    }
    return { members, counts: countsOf(room), version: room?.version ?? 0 }
  }

  async find(stream: Stream, user: string): Promise<Member | undefined> {
    const present = this.#rooms.get(streamKey(stream))?.users.get(user)
    return present && asMember(user, present)
  }

  /** A node is gone: its entries go, and the listeners hear of each. */
  forget(node: string): void {
    for (const [key, room] of this.#rooms) {
      for (const [user, present] of room.users) {
        for (const [session, owner] of present.owners) {
          if (owner.node === node) this.#remove(key, room, user, present, session)
        }
      }
    }
  }

  #remove(key: string, room: Room, user: string, present: Present, session: string): MemberChange {
    const before = present.owners.size
    present.owners.delete(session)
    room.connections -= 1
    if (present.owners.size === 0) room.users.delete(user)
    if (room.users.size === 0) this.#rooms.delete(key)
    return this.#tell(key, room, { member: asMember(user, present), before, changed: true })
  }

  #tell(key: string, room: Room, change: Pick<MemberChange, 'member' | 'before' | 'changed'>): MemberChange {
    if (change.changed) this.#versions = Math.max(this.#versions, (room.version += 1))
    const told = { ...change, counts: countsOf(room), version: room.version }
    if (change.changed) this.#announce(key, told)
    return told
  }

  #room(key: string): Room {
    const room = this.#rooms.get(key) ?? { users: new Map<string, Present>(), connections: 0, version: this.#versions }
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

function countsOf(room: Room | undefined): Counts {
  return { members: room?.users.size ?? 0, connections: room?.connections ?? 0 }
}
