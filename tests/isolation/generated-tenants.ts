import * as fc from 'fast-check'

/** A user of a tenant, and the channel that the tenant uses. */
export interface Resident {
  readonly tenant: string
  readonly user: string
  readonly channel: string
}

/** Two tenants that must not meet, and the names that both use. */
export interface Neighbours {
  readonly mine: Resident
  readonly theirs: Resident
  readonly operation: string
  readonly key: string
}

/** What separators, lengths, prototypes, case folding and normal forms could be confused by. */
const PIECES = ['a', 'A', '1', '2', '10', ':', '/', '~', '%', '%3A', '*', '{', '.', ' ', '#', '|', ',', '"', "'", '\\']
const WORDS = ['session', 'room', 'acme', '__proto__', 'constructor', 'toString', 'null', 'undefined', '..', 'é']
const RARE = ['e\u0301', 'ß', 'İ', '\u{1F510}', '\u200B', '\u202E', '\uFF1A', '\uFFFD', '名']

const CHANNEL_PIECES = ['a', 'A', '1', '10', ':', '~', '~3A', '.', '@', '+', '=', '-', '_', '__proto__', 'room']
const SEGMENT_PIECES = CHANNEL_PIECES.filter((piece) => piece !== ':')

const name = words([...PIECES, ...WORDS, ...RARE], 5)

/** Tenants and users whose names, put side by side in any way, are as much alike as can be. */
const people = fc.oneof(
  fc.tuple(name, name, name, name),
  // One the beginning of the other, what is left over standing in the name of the user.
  {
    weight: 2,
    arbitrary: fc.tuple(name, name, name).map(([a, b, c]) => [a, b + c, a + b, c] as const),
  },
  fc.tuple(name, name).map(([a, b]) => [a, b, `${a}:`, b] as const),
  // A length in front, as storage keys have it.
  fc.tuple(name, name).map(([a, b]) => [a, b, `${a.length}:${a}`, b] as const),
  fc.tuple(name, name).map(([a, b]) => [a, b, `${a}${b.length}:${b}`, b] as const),
  fc.tuple(name, name).map(([a, b]) => [`${a}é`, b, `${a}e\u0301`, b] as const),
  fc.tuple(name, name).map(([a, b]) => [`${a}k`, b, `${a}K`, b] as const),
  fc.tuple(name, name).map(([a, b]) => [a, b, b, a] as const),
)

/** Pairs of tenants with everything else in common. */
export const neighbours: fc.Arbitrary<Neighbours> = fc
  .record({
    people: people.filter(([mine, , theirs]) => mine !== theirs),
    alike: fc.constantFrom('names', 'names', 'same user', 'tenant and channel'),
    local: words(CHANNEL_PIECES, 6).filter((local) => local.split(':').every((segment) => segment !== '')),
    // Without what an address cannot hold as its last part, and in one segment, as the rule for operations has it.
    operation: words(SEGMENT_PIECES, 6).filter((id) => !/^\.+$/.test(id)),
    key: words(['k', '1', ':', '~', '__proto__'], 3),
  })
  .map(({ people: [mine, user, theirs, other], alike, local, operation, key }) => ({
    mine: { tenant: mine, user, channel: alike === 'tenant and channel' ? `aroom:${local}` : `room:${local}` },
    // Tenant and channel, one after the other, may be the same text for both.
    theirs: {
      tenant: alike === 'tenant and channel' ? `${mine}a` : theirs,
      user: alike === 'same user' ? user : other,
      channel: `room:${local}`,
    },
    operation,
    key,
  }))

function words(pieces: readonly string[], max: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: max }).map((parts) => parts.join(''))
}
