import { channelSegment } from '@holdfast/protocol'
import { parseChannelPattern } from './channel-pattern.js'
import type { Grants } from './grants.js'
import type { Identity } from './identity.js'

/**
 * Whether whoever has an identity may hand these grants on to a server: each names nothing that a grant of the identity with the same verb does not name. What rules or roles allow
 * besides does not count: a server with a grant may where they refuse.
 */
export function coversGrants(identity: Pick<Identity, 'tenant' | 'user' | 'kind' | 'grants'>, grants: Grants): boolean {
  return Object.entries(grants).every(([source, verbs]) =>
    verbs.every((verb) =>
      Object.entries(identity.grants).some(([own, held]) => held.includes(verb) && covers(identity, own, source)),
    ),
  )
}

type Holder = Parameters<typeof coversGrants>[0]

function covers(holder: Holder, own: string, source: string): boolean {
  if (parseChannelPattern(own) === undefined || parseChannelPattern(source) === undefined) return false
  const [wide, narrow] = [own.split(':'), source.split(':')]
  for (const [at, segment] of wide.entries()) {
    const other = narrow[at]
    if (other === undefined) return false
    if (segment === '**') return true
    if (other === '**' || !holds(holder, segment, other)) return false
  }
  return wide.length === narrow.length
}

/** To a server, a placeholder is any segment. */
function holds(holder: Holder, segment: string, other: string): boolean {
  if (segment === '{user}' && holder.kind !== 'server') return other === channelSegment(holder.user)
  if (segment === '{tenant}' && holder.kind !== 'server') return other === channelSegment(holder.tenant)
  return segment === '*' || segment.startsWith('{') || segment === other
}
