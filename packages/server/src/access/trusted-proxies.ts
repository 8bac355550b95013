import { BlockList, isIP } from 'node:net'
import { UNIX_PEER, plainAddress } from '../network-address.js'

/** Networks that have a name. */
const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1/128']],
  // No network: whoever may open the socket.
  [UNIX_PEER, []],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fe80::/10']],
])

/** What a request says of where it came from. */
export interface Forwarding {
  /** The other end of the TCP connection; `unix` for one on a Unix socket. */
  readonly peer: string
  /** Whether that connection is encrypted. */
  readonly isEncrypted: boolean
  /** `X-Forwarded-For`, those of several headers joined. */
  readonly forwardedFor: string | undefined
  /** `X-Forwarded-Proto`, those of several headers joined. */
  readonly forwardedProto: string | undefined
}

/** The proxies whose word counts. What everybody else says of addresses and protocols is not read. */
export class TrustedProxies {
  readonly #networks = new BlockList()
  readonly #isEmpty: boolean
  readonly #trustsUnix: boolean

  /**
   * `entries` are addresses, networks such as `10.0.0.0/8`, and the words `loopback`, `private` and `unix`.
   *
   * @throws RangeError for an entry that is none of these, in words that follow its name.
   */
  constructor(entries: readonly string[]) {
    this.#isEmpty = entries.length === 0
    this.#trustsUnix = entries.includes(UNIX_PEER)
    for (const entry of entries) for (const network of NAMED.get(entry) ?? [entry]) this.#add(network)
  }

  /** The address of the client: the peer's, or as far back as trusted proxies tell, from the right. Who stands left of a stranger may be invented. */
  addressOf({ peer, forwardedFor }: Forwarding): string {
    let address = plainAddress(peer)
    if (this.#isEmpty || forwardedFor === undefined) return address
    const hops = forwardedFor.split(',')
    while (hops.length > 0 && this.trusts(address)) {
      const hop = hopAddress(hops.pop() ?? '')
      if (hop === undefined) return address
      address = hop
    }
    return address
  }

  /** Whether the client came over TLS: to us, or to a trusted proxy that says so. */
  isSecure({ peer, isEncrypted, forwardedProto }: Forwarding): boolean {
    if (isEncrypted || this.#isEmpty || forwardedProto === undefined) return isEncrypted
    return this.trusts(plainAddress(peer)) && forwardedProto.split(',').at(-1)?.trim().toLowerCase() === 'https'
  }

  /** Whether an address is that of a trusted proxy. */
  trusts(address: string): boolean {
    if (address === UNIX_PEER) return this.#trustsUnix
    const version = isIP(address)
    return version !== 0 && this.#networks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  #add(network: string): void {
    const [address = '', prefix, ...rest] = network.split('/')
    const version = isIP(address)
    const bits = version === 4 ? 32 : 128
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (version === 0 || address.includes('%') || rest.length > 0 || length < 0 || length > bits)
      throw new RangeError('must be an address, a network such as 10.0.0.0/8, loopback, private or unix')
    this.#networks.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** One entry of `X-Forwarded-For`. Some proxies add the port; `unknown` and made-up names (RFC 7239, 6) are no address. */
function hopAddress(hop: string): string | undefined {
  const text = hop.trim()
  const address =
    /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(text)?.[1] ?? /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? text
  return isIP(address) === 0 ? undefined : plainAddress(address)
}
