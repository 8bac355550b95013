import { expect, it } from 'vitest'
import { isLoopbackAddress, networkOf, plainAddress } from './network-address.js'

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:1::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
])('connections from %s are counted under %s', (address, network) => expect(networkOf(address)).toBe(network))

it('an address is compared without its zone, and IPv4 as IPv4', () => {
  expect(plainAddress('::ffff:127.0.0.1')).toBe('127.0.0.1')
  expect(plainAddress('fe80::1%eth0')).toBe('fe80::1')
  expect(plainAddress('2001:db8::1')).toBe('2001:db8::1')
})

it.each<[string, boolean]>([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['128.0.0.1', false],
  ['127.0.0.1.evil.test', false],
  ['::2', false],
  ['localhost', false],
  ['', false],
])('%s is an address of this machine alone: %s', (address, isLoopback) =>
  expect(isLoopbackAddress(address)).toBe(isLoopback),
)
