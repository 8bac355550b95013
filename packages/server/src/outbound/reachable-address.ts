import { BlockList, isIP, isIPv4 } from 'node:net'

/** An address as a resolver gives it. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

/** Which addresses may be asked: those of the whole internet; those of networks of one's own, too. */
export type Reach = 'public' | 'private'

/**
 * Networks that belong to somebody: reached on purpose only. Loopback, RFC 1918, carrier-grade NAT (RFC 6598), unique local (RFC 4193).
 */
const PRIVATE: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
]

/**
 * What no service of others stands behind, whatever was allowed: this network, link-local and with it the metadata of clouds, protocol assignments,
 * documentation, benchmarks, 6to4 relays, multicast, reserved (RFC 6890).
 */
const NEVER: readonly string[] = [
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
  '::/128',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  // Addresses that carry one of IPv4, which would be reached in its place: mapped, compatible, translated (NAT64), Teredo, 6to4.
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2001::/32',
  '2002::/16',
  '100::/64',
  '2001:db8::/32',
  '3fff::/20',
]

/** Global unicast (RFC 4291 2.4): whatever lies outside and was not allowed by name is reserved. */
const GLOBAL_V6 = blockList(['2000::/3'])
const PRIVATE_LIST = blockList(PRIVATE)
const NEVER_LIST = blockList(NEVER)
const LOOPBACK_LIST = blockList(['127.0.0.0/8', '::1/128'])

/** Whether an address may be asked. What is no address may not. */
export function isReachable(address: string, reach: Reach): boolean {
  const family = familyOf(address)
  if (family === undefined || NEVER_LIST.check(address, family)) return false
  if (PRIVATE_LIST.check(address, family)) return reach === 'private'
  return family === 'ipv4' || GLOBAL_V6.check(address, 'ipv6')
}

/** Whether an address is this machine. */
export function isLoopback(address: string): boolean {
  const family = familyOf(address)
  // A mapped address would be compared with the networks of IPv4.
  return family !== undefined && !NEVER_LIST.check(address, family) && LOOPBACK_LIST.check(address, family)
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (isIP(address) === 0) return undefined
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}
