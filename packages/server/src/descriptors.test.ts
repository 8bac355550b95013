import { expect, it } from 'vitest'
import { connectionsMax, socketsMax } from './descriptors.js'

it('keeps some descriptors back, and more from connections than from sockets', () => {
  expect(socketsMax()).toBeGreaterThan(1)
  expect(connectionsMax()).toBeLessThanOrEqual(socketsMax())
  if (process.platform === 'linux') expect(socketsMax() - connectionsMax()).toBe(32)
})
