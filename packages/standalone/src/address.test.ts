import { expect, it } from 'vitest'
import { localAuthority } from './address.js'

it('names a host and port as addresses do, and an address of all interfaces as one that can be reached', () => {
  expect(localAuthority('127.0.0.1', 80)).toBe('127.0.0.1:80')
  expect(localAuthority('::1', 80)).toBe('[::1]:80')
  expect(localAuthority('0.0.0.0', 80)).toBe('127.0.0.1:80')
  expect(localAuthority('::', 80)).toBe('127.0.0.1:80')
})
