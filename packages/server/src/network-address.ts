/** Stands where peers on a Unix socket have no address. */
export const UNIX_PEER = 'unix'

/** Whether what comes from an address can be counted as one client's: on a Unix socket everybody has the same. */
export function isCountable(address: string): boolean {
  return address !== UNIX_PEER
}

/** An address as it is compared and logged: an IPv4 address in IPv6 notation as IPv4, without the zone. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address.split('%')[0] ?? ''
}

/** Whether an address is one of this machine, which nothing else can reach or have. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(address)
}

/** Groups of an IPv6 address that name its network: what one customer gets (RFC 6177) has at least this in common. */
const NETWORK_GROUPS = 4

/**
 * The network by which connections from an address are counted: an IPv4 address itself, also where it is written as IPv6, and the /64 of any other. Whoever has
 * one address of such a network has all of them.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const [first, last] = [head, tail ?? ''].map((part) => part.split(':').filter(Boolean))
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - (first?.length ?? 0) - (last?.length ?? 0))
  const groups = [...(first ?? []), ...Array.from({ length: zeros }, () => '0'), ...(last ?? [])]
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
