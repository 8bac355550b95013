import { type Retention, type Stream, streamKey } from '../engine/engine.js'

// Where lifecycle events and what leads to them are kept in the engine. No client can name any of these: channels of clients have a namespace.

const HOUR_MS = 3_600_000

/** How much of a tenant's events is kept for receivers that are away. */
export const LOG_RETENTION: Retention = { size: 100_000, ttlMs: 24 * HOUR_MS }

/** How long what a node enters outlives its last refresh: also where all nodes are away for so long, what they left is told. */
export const ENTRY_MS: number = 24 * HOUR_MS

/** How often a node refreshes what it has entered. */
export const REFRESH_MS: number = 6 * HOUR_MS

/** How long it is kept who was told last of a channel or member, and since when a receiver is known. */
export const TOLD_MS: number = 30 * 24 * HOUR_MS

/** How long a position in a log is kept. Messages end before it, logs after it. */
export const CURSOR_MS: number = 47 * HOUR_MS

/** Tenants with events that are kept at a time. */
export const TENANTS_MAX = 100_000

/** Changes of one tenant that wait to be looked at. */
export const DIRTY_MAX = 50_000

/** The log of a tenant's events. */
export function eventLogOf(tenant: string): Stream {
  return { tenant, channel: '$lifecycle' }
}

/** The stream on which nodes wake each other; it belongs to no tenant. */
export const WAKE_STREAM: Stream = { tenant: '', channel: '$lifecycle' }

/** Registers by name: who wants events, tenants that have some, lives of nodes, tenants with changes. */
export const INTEREST = 'lifecycle:interest'
/** Tenants with events. */
export const TENANTS = 'lifecycle:tenants'
/** Lives of nodes, each with the name of its node. */
export const LIVES = 'lifecycle:lives'
/** Tenants of which something has changed. */
export const DIRTY_TENANTS = 'lifecycle:dirty'

/** The register of what a life holds: connections, channels, members. */
export function heldBy(life: string): string {
  return `lifecycle:held:${life}`
}

/** The register of the lives that listen to a channel. */
export function listenersOf(stream: Stream): string {
  return `lifecycle:listening:${streamKey(stream)}`
}

/** The register of what has changed of a tenant. */
export function dirtyOf(tenant: string): string {
  return `lifecycle:dirty:${tenant}`
}

/** The record that says that a life is over. */
export function fateOf(life: string): string {
  return `lifecycle:fate:${life}`
}

/** The record of what was told last of a channel or member. */
export function toldOf(subject: string): string {
  return `lifecycle:told:${subject}`
}

/** The record that says that a receiver is known. */
export function bornOf(destination: string): string {
  return `lifecycle:born:${destination}`
}

/** The record of where a receiver is in the log of a tenant. */
export function cursorOf(destination: string, tenant: string): string {
  return `lifecycle:cursor:${destination}:${tenant}`
}
