import { describe, expect, it } from 'vitest'
import { TrustedProxies } from './trusted-proxies.js'

const said = (peer: string, forwardedFor?: string, forwardedProto?: string) => ({
  peer,
  isEncrypted: false,
  forwardedFor,
  forwardedProto,
})

describe('the address of a client', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])

  it.each<[string, string, string | undefined, string]>([
    ['that of the peer where nothing was forwarded', '203.0.113.7', undefined, '203.0.113.7'],
    ['that of the peer where nobody trusts it', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['what a trusted proxy says', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['the first stranger from the right', '10.0.0.1', '8.8.8.8, 203.0.113.7, 192.0.2.1', '203.0.113.7'],
    ['the first of all where all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the last that is trusted where an entry is none', '10.0.0.1', '203.0.113.7, unknown, 10.0.0.2', '10.0.0.2'],
    ['the peer where the entry is none', '10.0.0.1', 'nonsense', '10.0.0.1'],
    ['the peer where the header is empty', '10.0.0.1', '', '10.0.0.1'],
    ['told without spaces, and with many', '10.0.0.1', '8.8.8.8,203.0.113.7 ,  10.0.0.2', '203.0.113.7'],
    ['told with a port', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['an IPv6 address', '2001:db8::1', '2001:DB9::7', '2001:DB9::7'],
    ['an IPv6 address in brackets, with a port', '10.0.0.1', '[2001:db9::7]:4711', '2001:db9::7'],
    ['an IPv4 address in IPv6 notation', '::ffff:10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['not what looks like one', '10.0.0.1', '203.0.113.7.8', '10.0.0.1'],
    ['not one with leading zeros', '10.0.0.1', '0203.0.113.7', '10.0.0.1'],
    ['not one with a letter', '10.0.0.1', '203.0.113.7x', '10.0.0.1'],
    ['nothing where the socket is gone', '', '203.0.113.7', ''],
  ])('is %s', (_, peer, forwardedFor, address) => expect(proxies.addressOf(said(peer, forwardedFor))).toBe(address))

  it('is what the proxy on a Unix socket says, where it is trusted, and no word of anybody else’s', () => {
    const behindSocket = new TrustedProxies(['unix'])
    expect(behindSocket.addressOf(said('unix', '8.8.8.8, 203.0.113.7'))).toBe('203.0.113.7')
    expect(behindSocket.addressOf(said('unix', 'unix'))).toBe('unix')
    expect(proxies.addressOf(said('unix', '203.0.113.7'))).toBe('unix')
  })

  it('is that of the peer where no proxy is trusted', () =>
    expect(new TrustedProxies([]).addressOf(said('127.0.0.1', '203.0.113.7'))).toBe('127.0.0.1'))
})

describe('a proxy', () => {
  it.each<[string, string[], string[]]>([
    ['loopback', ['127.0.0.1', '127.8.9.10', '::1'], ['128.0.0.1', '::2', '10.0.0.1']],
    [
      'private',
      ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.3.4', 'fd00::1', 'fe80::1'],
      ['172.32.0.1', '127.0.0.1', '11.0.0.1', '2001:db8::1'],
    ],
    ['192.0.2.0/24', ['192.0.2.0', '192.0.2.255'], ['192.0.3.0']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.8']],
    ['2001:db8::/33', ['2001:db8:7fff::1'], ['2001:db8:8000::1']],
    ['0.0.0.0/0', ['8.8.8.8'], ['2001:db8::1', 'unix']],
    ['unix', ['unix'], ['', '127.0.0.1', '::1', '0.0.0.0']],
  ])('of %s is trusted, and no other', (entry, inside, outside) => {
    const proxies = new TrustedProxies([entry])
    expect(inside.filter((address) => !proxies.trusts(address))).toEqual([])
    expect(outside.filter((address) => proxies.trusts(address))).toEqual([])
  })

  it.each([
    '',
    'example.com',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0',
    'fe80::1%eth0',
    'Loopback',
    'constructor',
    '__proto__',
  ])('cannot be %j', (entry) =>
    expect(() => new TrustedProxies([entry])).toThrow(
      'must be an address, a network such as 10.0.0.0/8, loopback, private or unix',
    ),
  )
})

describe('TLS', () => {
  const proxies = new TrustedProxies(['loopback'])

  it.each<[string, string | undefined, boolean]>([
    ['127.0.0.1', 'https', true],
    ['127.0.0.1', 'HTTPS', true],
    ['127.0.0.1', 'http, https', true],
    ['127.0.0.1', 'https, http', false],
    ['127.0.0.1', 'http', false],
    ['127.0.0.1', undefined, false],
    ['203.0.113.7', 'https', false],
  ])('between %s and us: X-Forwarded-Proto %s means %s', (peer, forwardedProto, isSecure) =>
    expect(proxies.isSecure(said(peer, undefined, forwardedProto))).toBe(isSecure),
  )

  it('of the socket itself counts whoever is trusted', () =>
    expect(new TrustedProxies([]).isSecure({ ...said('203.0.113.7'), isEncrypted: true })).toBe(true))
})
