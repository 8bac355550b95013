import type { Issuer } from './issuer.js'
import { type ClaimNames, tenantClaim } from './token-claims.js'
import { type TokenText, own } from './token-text.js'

/** Issuers without a name, of which each speaks for tenants of its own; those that name the tenant by the same claim. */
interface TenantIssuers {
  readonly claims: ClaimNames
  readonly byTenant: Map<string, Issuer>
}

/**
 * Whose token it is: by `iss`, else by the tenant where an issuer without a name speaks for it, else the one issuer that has neither. What a token says of itself chooses only by which keys it
 * is judged, and there is no second choice.
 */
export class Issuers {
  readonly all: readonly Issuer[]
  readonly #named = new Map<string, Issuer>()
  readonly #bound: TenantIssuers[] = []
  readonly #rest: Issuer | undefined

  /** @throws RangeError when two issuers would answer for the same tokens. */
  constructor(issuers: readonly Issuer[]) {
    this.all = issuers
    for (const issuer of issuers.filter(({ setup }) => setup.issuer !== undefined)) this.#name(issuer)
    const unnamed = issuers.filter(({ setup }) => setup.issuer === undefined)
    for (const issuer of unnamed) for (const tenant of issuer.setup.tenants ?? []) this.#bind(tenant, issuer)
    const free = unnamed.filter(({ setup }) => setup.tenants === undefined)
    if (free.length > 1) throw new RangeError('must not hold two issuers without a name that may speak for any tenant')
    this.#rest = unnamed.length === 1 ? unnamed[0] : free[0]
  }

  /** The issuer to ask; undefined: there is none. */
  of({ claims }: TokenText): Issuer | undefined {
    const name = own(claims, 'iss')
    const named = typeof name === 'string' ? this.#named.get(name) : undefined
    return named ?? this.#boundTo(claims) ?? this.#rest
  }

  #name(issuer: Issuer): void {
    const { issuer: name = '' } = issuer.setup
    if (this.#named.has(name)) throw new RangeError(`must not hold the issuer ${JSON.stringify(name)} twice`)
    this.#named.set(name, issuer)
  }

  #bind(tenant: string, issuer: Issuer): void {
    const { claims } = issuer.setup
    const known = this.#bound.find((others) => others.claims.tenant === claims.tenant)
    const { byTenant } = known ?? { byTenant: new Map<string, Issuer>() }
    if (known === undefined) this.#bound.push({ claims, byTenant })
    if (byTenant.has(tenant))
      throw new RangeError(`must not hold two issuers without a name for the tenant ${JSON.stringify(tenant)}`)
    byTenant.set(tenant, issuer)
  }

  #boundTo(claims: TokenText['claims']): Issuer | undefined {
    for (const { claims: names, byTenant } of this.#bound) {
      const tenant = tenantClaim(claims, names)
      const issuer = typeof tenant === 'string' ? byTenant.get(tenant) : undefined
      if (issuer !== undefined) return issuer
    }
    return undefined
  }
}
