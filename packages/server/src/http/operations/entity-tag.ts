import type { OperationSnapshot } from '@holdfast/protocol'

/** What tells two snapshots of an operation apart: `"<attempt>.<version>"`. */
export function entityTag({ attempt, version }: OperationSnapshot): string {
  return `"${attempt}.${version}"`
}

const TAG = /^(?:W\/)?"([^"]*)"$/

/** A header of tags. `*` stands for any. */
export interface Tags {
  /** Whether the snapshot is one of them. Weak tags count like strong ones (RFC 9110, 13.1.2). */
  include(snapshot: OperationSnapshot): boolean
}

/** Reads `If-None-Match` or `If-Match`; undefined where there is none. What is no tag matches nothing. */
export function readTags(header: string | null): Tags | undefined {
  if (header === null) return undefined
  if (header.trim() === '*') return { include: () => true }
  const tags = new Set(header.split(',').map((part) => TAG.exec(part.trim())?.[1]))
  return { include: ({ attempt, version }) => tags.has(`${attempt}.${version}`) }
}
