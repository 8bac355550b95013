import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** An address as a resolver gives it. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** Which addresses may be asked: those of the whole internet; those of networks of one's own, too. */
export type Reach = 'public' | 'private'

/** Networks by the family of their addresses. */
interface Networks {
  readonly ipv4: BlockList
  readonly ipv6: BlockList
}

/**
 * Networks that belong to somebody: reached on purpose only. Loopback, RFC 1918, carrier-grade NAT (RFC 6598), unique local (RFC 4193).
 */
const PRIVATE = networks(
  ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'],
  ['::1/128', 'fc00::/7'],
)

/**
 * What no service of others stands behind, whatever was allowed (RFC 6890): this network, link-local and with it the metadata of clouds, protocol assignments,
 * documentation, benchmarks, relays, multicast, reserved. Of IPv6 also what carries an address of IPv4 that would be reached in its place: Teredo and 6to4 stand here; mapped,
 * compatible and translated (NAT64) addresses lie outside of `GLOBAL`.
 */
const NEVER = networks(
  [
    '0.0.0.0/8',
    '169.254.0.0/16',
    '100.100.100.200/32',
    '168.63.129.16/32',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '240.0.0.0/4',
  ],
  ['fd00:ec2::/32', 'fd20:ce::254/128', '2001::/32', '2001:db8::/32', '2002::/16', '3fff::/20'],
)

/** All of IPv4; of IPv6 global unicast (RFC 4291 2.4). */
const GLOBAL = networks(['0.0.0.0/0'], ['2000::/3'])

const LOOPBACK = networks(['127.0.0.0/8'], ['::1/128'])

/** Whether an address may be asked. What is no address may not. */
export function isReachable(address: string, reach: Reach): boolean {
  if (holds(NEVER, address)) return false
  return holds(PRIVATE, address) ? reach === 'private' : holds(GLOBAL, address)
}

/** Whether an address is this machine. */
export function isLoopback(address: string): boolean {
  return holds(LOOPBACK, address)
}

function holds({ ipv4, ipv6 }: Networks, address: string): boolean {
  if (isIPv4(address)) return ipv4.check(address, 'ipv4')
  return isIPv6(address) && ipv6.check(address, 'ipv6')
}

/** Each family has a list of its own: in one, an address of IPv4 would be compared with the mapped ones of IPv6. */
function networks(ipv4: readonly string[], ipv6: readonly string[]): Networks {
  return { ipv4: blockList(ipv4, 'ipv4'), ipv6: blockList(ipv6, 'ipv6') }
}

function blockList(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    list.addSubnet(address, Number(prefix), family)
  }
  return list
}
