import type { Present, Stamped } from '../facts.js'
import { logKey } from './logs.js'
import type { Violations } from './violation.js'

/** I8: at rest every node names exactly those who are there; a user comes and goes in turn. */
export class PresenceSeen {
  readonly #violations: Violations
  readonly #changes = new Map<string, 'joined' | 'left'>()
  readonly #live = new Map<string, string>()
  readonly #reads: Extract<Stamped, { t: 'presence-read' }>[] = []

  constructor(violations: Violations) {
    this.#violations = violations
  }

  take(fact: Stamped): void {
    if (fact.t === 'presence-live') this.#live.set(logKey(fact), describe(fact.members))
    else if (fact.t === 'presence-read') this.#reads.push(fact)
    else if (fact.t === 'presence') {
      const key = `${fact.user} in ${fact.channel}, as ${fact.client} of ${fact.tenant} sees it,`
      if (this.#changes.get(key) === fact.change) this.#violations.add('I8', `${key} ${fact.change} twice in a row`)
      this.#changes.set(key, fact.change)
    }
  }

  end(): void {
    for (const read of this.#reads) {
      const live = this.#live.get(logKey(read))
      const found = describe(read.members)
      if (live !== undefined && live !== found)
        this.#violations.add(
          'I8',
          `${read.node} names ${found || 'nobody'} in ${read.channel}; there are ${live || 'none'}`,
        )
    }
  }
}

function describe(members: readonly Present[]): string {
  return members
    .map(([user, connections]) => `${user}×${connections}`)
    .toSorted()
    .join(' ')
}
