import type { StreamPost, StreamPostOutcome } from '../../event-stream.js'
import { isText, membersOf } from '../members.js'
import { CENSUS_READERS, type CensusContract } from './census-messages.js'
import { type HandedSession, readHandedSession } from '../sessions/session-record.js'
import type { WithdrawalScope } from '../rights/withdrawal.js'

/** What nodes say to each other, and what they answer. */
export interface ControlContract extends CensusContract {
  /** Hands over a session that lives on the node asked; no answer where none does, or where a newer owner than the one who asks has it. */
  readonly 'session.claim': {
    readonly ask: {
      /** The key of its record. */
      readonly record: string
      /** The version under which whoever asks owns the record. */
      readonly version: number
    }
    readonly answer: HandedSession | null
  }
  /** Closes every connection of a user; answers how many there were. */
  readonly 'user.disconnect': {
    readonly ask: { readonly tenant: string; readonly user: string }
    readonly answer: number
  }
  /** Asks the rules again about every channel of a user; answers how many connections there are. */
  readonly 'user.recheck': {
    readonly ask: { readonly tenant: string; readonly user: string }
    readonly answer: number
  }
  /** Ends every connection with a token that was withdrawn: the one of an id, those of a user, or (without both) those of the tenant. */
  readonly 'token.revoke': {
    readonly ask: WithdrawalScope & { readonly issuedBefore?: number; readonly from?: number; readonly until?: number }
    readonly answer: null
  }
  /** Somebody wants lifecycle events of other kinds or tenants than before. */
  readonly 'lifecycle.interest': {
    readonly ask: Readonly<Record<string, never>>
    readonly answer: null
  }
  /**
   * Reminds the devices of users of notifications in their inboxes, where `reminder` (which one it is) is not 0; answers for each how many devices there are on the node.
   */
  readonly 'inbox.remind': {
    readonly ask: {
      readonly items: readonly {
        readonly tenant: string
        readonly channel: string
        readonly epoch: string
        readonly offset: number
        readonly reminder: number
      }[]
    }
    readonly answer: readonly number[]
  }
  /** What the node has published for a tenant in the last second. */
  readonly 'tenant.usage': {
    readonly ask: { readonly tenant: string }
    readonly answer: { readonly messages: number; readonly bytes: number }
  }
  /** What the client of an event stream posted, which lives on the node asked. */
  readonly 'stream.post': {
    readonly ask: StreamPost & { readonly id: string }
    readonly answer: StreamPostOutcome
  }
  /** Somebody asked an operation to stop, and has stored that: its worker is to know at once. */
  readonly 'operation.cancel': {
    readonly ask: { readonly tenant: string; readonly id: string }
    readonly answer: null
  }
  /** An operation has ended that began on another node: its place there is free. */
  readonly 'operation.ended': {
    readonly ask: { readonly tenant: string; readonly id: string }
    readonly answer: null
  }
}

/** The name of a control message. */
export type ControlKind = keyof ControlContract

/** What is asked in a message of this kind. */
export type ControlAsk<K extends ControlKind> = ControlContract[K]['ask']

/** What is answered to it. */
export type ControlAnswer<K extends ControlKind> = ControlContract[K]['answer']

/** Notifications in one message that reminds. */
const REMINDED_MAX = 1_000

type Reader<T> = (value: unknown) => T | undefined

/** How each message is read: another version of this program may have written it. */
export const CONTROL_READERS: {
  readonly [K in ControlKind]: { readonly ask: Reader<ControlAsk<K>>; readonly answer: Reader<ControlAnswer<K>> }
} = {
  ...CENSUS_READERS,
  'session.claim': {
    ask(value) {
      const { record, version } = membersOf(value)
      return isText(record) && isNumber(version) ? { record, version } : undefined
    },
    answer: (value) => (value === null ? null : readHandedSession(value)),
  },
  'user.recheck': {
    ask(value) {
      const { tenant, user } = membersOf(value)
      return isText(tenant) && isText(user) ? { tenant, user } : undefined
    },
    answer: (value) => (isNumber(value) ? value : undefined),
  },
  'user.disconnect': {
    ask(value) {
      const { tenant, user } = membersOf(value)
      return isText(tenant) && isText(user) ? { tenant, user } : undefined
    },
    answer: (value) => (isNumber(value) ? value : undefined),
  },
  'token.revoke': {
    ask(value) {
      const { tenant, user, tokenId, issuedBefore, from, until } = membersOf(value)
      const isRead = isText(tenant) && [user, tokenId].every((name) => name === undefined || isText(name))
      if (!isRead || ![issuedBefore, from, until].every((time) => time === undefined || isNumber(time)))
        return undefined
      return { tenant, user, tokenId, issuedBefore, from, until } as ControlAsk<'token.revoke'>
    },
    answer: () => null,
  },
  'lifecycle.interest': { ask: () => ({}), answer: () => null },
  'inbox.remind': {
    ask(value) {
      const { items } = membersOf(value)
      const isRead = (item: unknown): boolean => {
        const { tenant, channel, epoch, offset, reminder } = membersOf(item)
        return [tenant, channel, epoch].every(isText) && [offset, reminder].every(isNumber)
      }
      return Array.isArray(items) && items.length <= REMINDED_MAX && items.every(isRead)
        ? ({ items } as ControlAsk<'inbox.remind'>)
        : undefined
    },
    answer: (value) => (Array.isArray(value) && value.every(isNumber) ? value : undefined),
  },
  'tenant.usage': {
    ask(value) {
      const { tenant } = membersOf(value)
      return isText(tenant) ? { tenant } : undefined
    },
    answer(value) {
      const { messages, bytes } = membersOf(value)
      return isNumber(messages) && isNumber(bytes) ? { messages, bytes } : undefined
    },
  },
  'stream.post': {
    ask(value) {
      const { id, sequence, frames, isLast } = membersOf(value)
      const isRead = isText(id) && isNumber(sequence) && typeof frames === 'string' && typeof isLast === 'boolean'
      return isRead ? { id, sequence, frames, isLast } : undefined
    },
    answer: (value) => (value === 'taken' || value === 'busy' || value === 'gone' ? value : undefined),
  },
  'operation.cancel': {
    ask(value) {
      const { tenant, id } = membersOf(value)
      return isText(tenant) && isText(id) ? { tenant, id } : undefined
    },
    answer: () => null,
  },
  'operation.ended': {
    ask(value) {
      const { tenant, id } = membersOf(value)
      return isText(tenant) && isText(id) ? { tenant, id } : undefined
    },
    answer: () => null,
  },
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
