import { describe, expect, it } from 'vitest'
import { HostPolicy, hostName } from './host-policy.js'

const OF_THIS_MACHINE = ['localhost', 'localhost:8000', 'app.localhost:8000', '127.0.0.1', '127.0.0.2:1', '[::1]:8000']
const OF_OTHERS = ['evil.test', 'evil.test:8000', 'localhost.evil.test', '127.0.0.1.evil.test', '203.0.113.7', '[::2]']

describe('a name in a Host header', () => {
  it.each([
    ['App.Example.com', 'app.example.com'],
    ['app.example.com:8000', 'app.example.com'],
    ['app.example.com.', 'app.example.com.'],
    ['[::1]:8000', '[::1]'],
    ['my_service', 'my_service'],
  ])('%s is %s', (host, name) => expect(hostName(host)).toBe(name))

  it.each(['', 'a b', 'a/b', 'user@host', 'a:b', 'a:1:2', '::1', '[::1', 'a..b', 'host:123456', 'bücher.example'])(
    '%j is none',
    (host) => expect(hostName(host)).toBeUndefined(),
  )
})

describe('a node', () => {
  it('answers for any name where nothing was said', () => {
    const policy = new HostPolicy(undefined, () => false)
    for (const host of [...OF_THIS_MACHINE, ...OF_OTHERS, undefined]) expect(policy.admits(host)).toBe(true)
  })

  it('answers only for names of this machine while it is there for it alone', () => {
    const policy = new HostPolicy(undefined, () => true)
    for (const host of OF_THIS_MACHINE) expect(policy.admits(host)).toBe(true)
    for (const host of [...OF_OTHERS, undefined, '', 'a b']) expect(policy.admits(host)).toBe(false)
  })

  it('answers for the names that it was given, with any port, and for those of this machine', () => {
    const policy = new HostPolicy(['app.example.com', '[2001:db8::1]'], () => false)
    for (const host of ['app.example.com', 'APP.example.com:443', '[2001:db8::1]:8000', ...OF_THIS_MACHINE])
      expect(policy.admits(host)).toBe(true)
    for (const host of ['example.com', 'x.app.example.com', 'app.example.com.', 'app.example.com.evil.test', undefined])
      expect(policy.admits(host)).toBe(false)
  })
})
