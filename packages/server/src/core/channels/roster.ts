import type { Counts, Member } from '@holdfast/protocol'
import type { Cancel, Clock } from '../../clock.js'
import type { MemberChange, MemberList } from '../../engine/engine.js'

/** A change of presence as those who watch a channel are told. */
export interface PresenceChange {
  readonly kind: 'joined' | 'left' | 'updated'
  readonly member: Member
  readonly counts: Counts
}

/** What a roster needs of its topic. */
export interface RosterOwner {
  readonly clock: Clock
  /** Milliseconds over which changes are gathered. */
  readonly coalesceMs: number
  /** Members known by name at most; above it there are counts and a sample. */
  readonly sampleMax: number
  list(): Promise<MemberList>
  tell(change: PresenceChange): void
  onError(error: unknown): void
}

/** How long until a list that could not be had is asked for again. */
const RETRY_MS = 1_000

interface Gathered {
  /** Connections of the member when it was last told of. */
  readonly before: number
  member: Member
  /** Those of the whole channel, after the last change of the member. */
  counts: Counts
}

/**
 * Who is in a channel, as those on this node who watch it were told. Changes are gathered for a moment, and a member who came and went meanwhile is not
 * spoken of. A change that was missed shows in the version of the next: then the whole list is read, and the differences are told.
 */
export class Roster {
  readonly #owner: RosterOwner
  readonly #told = new Map<string, Member>()
  readonly #gathered = new Map<string, Gathered>()
  #version = 0
  #begun = false
  #reading = false
  #stale = false
  #cancelFlush: Cancel | undefined
  #cancelRetry: Cancel | undefined

  constructor(owner: RosterOwner) {
    this.#owner = owner
  }

  /** Somebody began to watch, and was given this list, in which its own entry, if it made one, is the last change: that is told as any other. */
  begin(list: MemberList, own?: MemberChange): void {
    if (this.#begun) return
    this.#begun = true
    this.#version = list.version
    for (const member of list.members) this.#told.set(member.user, member)
    if (own?.changed !== true) return
    this.#told.delete(own.member.user)
    this.#gather(own)
  }

  /** Nobody watches any more. */
  end(): void {
    this.#begun = false
    this.#stale = false
    this.#told.clear()
    this.#gathered.clear()
    this.#cancelFlush?.()
    this.#cancelRetry?.()
    this.#cancelFlush = this.#cancelRetry = undefined
  }

  /** Takes a change as it was announced. */
  take(change: MemberChange): void {
    if (!this.#begun) return
    if (change.version <= this.#version) return
    if (change.version !== this.#version + 1) return this.uncertain()
    this.#version = change.version
    this.#gather(change)
  }

  /** Changes may have been missed: reads who is there. */
  uncertain(): void {
    if (!this.#begun) return
    this.#stale = true
    if (!this.#reading) void this.#read()
  }

  async #read(): Promise<void> {
    this.#reading = true
    try {
      while (this.#stale && this.#begun) {
        this.#stale = false
        this.#adopt(await this.#owner.list())
      }
    } catch (error) {
      this.#owner.onError(error)
      this.#cancelRetry?.()
      this.#cancelRetry = this.#owner.clock.after(RETRY_MS, () => this.uncertain())
    }
    this.#reading = false
  }

  /** What was announced after the list was read comes again, and changes nothing. */
  #adopt({ members, counts, version }: MemberList): void {
    if (!this.#begun) return
    this.#version = version
    const present = new Set(members.map(({ user }) => user))
    for (const member of members) this.#gather({ member, before: 0, counts })
    if (counts.members > members.length) return
    const known = new Set([...this.#told.keys(), ...this.#gathered.keys()])
    for (const user of known)
      if (!present.has(user)) this.#gather({ member: { user, connections: 0 }, before: 0, counts })
  }

  #gather({ member, before, counts }: Gathered): void {
    const known = this.#gathered.get(member.user)
    const told = this.#told.get(member.user)?.connections
    this.#gathered.set(member.user, { before: known?.before ?? told ?? before, member, counts })
    this.#cancelFlush ??= this.#owner.clock.after(this.#owner.coalesceMs, () => this.#flush())
  }

  #flush(): void {
    this.#cancelFlush = undefined
    const gathered = [...this.#gathered]
    this.#gathered.clear()
    for (const [user, { before, member, counts }] of gathered) {
      const kind = kindOf(before, this.#told.get(user), member)
      this.#remember(member)
      if (kind !== undefined) this.#owner.tell({ kind, member, counts })
    }
  }

  #remember(member: Member): void {
    if (member.connections === 0) this.#told.delete(member.user)
    else if (this.#told.has(member.user) || this.#told.size < this.#owner.sampleMax) this.#told.set(member.user, member)
  }
}

/** Undefined when nothing is different from what was told. */
function kindOf(
  before: number,
  told: Member | undefined,
  { connections, info }: Member,
): PresenceChange['kind'] | undefined {
  if (connections === 0) return before === 0 ? undefined : 'left'
  if (before === 0) return 'joined'
  const same = told?.connections === connections && JSON.stringify(told.info) === JSON.stringify(info)
  return same ? undefined : 'updated'
}
