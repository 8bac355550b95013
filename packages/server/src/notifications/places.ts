import { type Stream, streamKey } from '../engine/engine.js'

// Where receipts are kept in the engine. No client can name any of these: channels of clients have a namespace.

/** How long it is kept what has become of a notification. */
export const KEPT_MS: number = 24 * 3_600_000

/** The index of receipts by when they are to be looked at next. */
export const DUE = 'receipts:due'

/** The lease of the one node that looks. */
export const OVERSIGHT = 'receipts'

/** A receipt in the index of those that are due. The tenant's length stands first, so that no choice of characters makes two one. */
export function dueKey(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`
}

/** The receipt that such a key names; undefined where it names none. */
export function readDueKey(key: string): { readonly tenant: string; readonly id: string } | undefined {
  const [head = '', length = ''] = /^(\d{1,3}):/.exec(key) ?? []
  const end = head.length + Number(length)
  return head === '' || end >= key.length ? undefined : { tenant: key.slice(head.length, end), id: key.slice(end) }
}

/** The record of a receipt. */
export function recordOf(tenant: string, id: string): string {
  return `receipt:${dueKey(tenant, id)}`
}

/** The index of the open receipts of an inbox, by the offset of their message. */
export function openOf(inbox: Stream): string {
  return `receipts:open:${streamKey(inbox)}`
}

/** The register of the open receipts of a tenant, by which they are bounded. */
export function roomOf(tenant: string): string {
  return `receipts:room:${tenant}`
}

/** The stream on which it is said that a receipt has ended. */
export function endOf(tenant: string, id: string): Stream {
  return { tenant, channel: `$receipt:${id}` }
}
