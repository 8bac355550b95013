import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isLoopback, isReachable } from './reachable-address.js'

const PUBLIC = [
  '1.1.1.1',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '2606:4700::1111',
  '2a00::1',
]

const PRIVATE = [
  '127.0.0.1',
  '127.255.255.254',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '::1',
  'fc00::1',
  'fd12:3456::1',
]

const NEVER = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '192.0.0.192',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
  'fec0::1',
  'fd00:ec2::254',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:1.1.1.1',
  '::ffff:0:127.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '2001::1',
  '2002:7f00:1::',
  '2001:db8::1',
  '4000::1',
  'localhost',
  '127.1',
  '0x7f.0.0.1',
  '',
]

describe('an address', () => {
  it.each(PUBLIC)('%s is public', (address) => expect(isReachable(address, 'public')).toBe(true))

  it.each(PRIVATE)('%s is reached where private networks are allowed, and only there', (address) => {
    expect(isReachable(address, 'public')).toBe(false)
    expect(isReachable(address, 'private')).toBe(true)
  })

  it.each(NEVER)('%j is never reached', (address) => {
    expect(isReachable(address, 'public')).toBe(false)
    expect(isReachable(address, 'private')).toBe(false)
    expect(isLoopback(address)).toBe(false)
  })

  it.each(['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1'])('%s is this machine', (address) =>
    expect(isLoopback(address)).toBe(true),
  )

  it('of IPv4 in one of IPv6 is never reached, whichever it is', () => {
    const prefix = fc.constantFrom('::ffff:', '::', '64:ff9b::')
    fc.assert(
      fc.property(prefix, fc.ipV4(), (before, address) => {
        expect(isReachable(`${before}${address}`, 'private')).toBe(`${before}${address}` === '::0.0.0.1')
      }),
      { numRuns: 2_000 },
    )
  })
})
