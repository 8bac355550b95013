import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Withdrawable, isAbout, scopesOf, withdrawalKey } from './withdrawal.js'

const name = fc.constantFrom('a', 'b', 'key:a')
const identity: fc.Arbitrary<Withdrawable> = fc.record({
  tenant: name,
  user: name,
  tokenId: fc.option(name, { nil: undefined }),
  kind: fc.constantFrom('user', 'server', 'anonymous'),
})
const scope = fc.oneof(
  fc.record({ tenant: name }),
  fc.record({ tenant: name, user: name }),
  fc.record({ tenant: name, tokenId: name }),
)

it('a withdrawal is about those credentials that ask for it when they come', () => {
  fc.assert(
    fc.property(scope, identity, (withdrawn, held) => {
      const asked = scopesOf(held).map(withdrawalKey)
      expect(isAbout(withdrawn, held)).toBe(asked.includes(withdrawalKey(withdrawn)))
    }),
    { numRuns: 2_000 },
  )
})
