import { describe, expect, it } from 'vitest'
import { CLOSE, type CloseReason, ERRORS, reconnectAfterClose } from '@holdfast/protocol'

const all = Object.values<CloseReason>(CLOSE)

describe('the table of close reasons', () => {
  it('has every pair of code and reason once', () => {
    expect(new Set(all.map(({ code, reason }) => `${code} ${reason}`)).size).toBe(all.length)
  })

  it('fits a close frame: registered codes, at most 123 bytes of reason', () => {
    for (const { code, reason } of all) {
      expect([1000, 1001, 1003, 1008, 1009, 1011, 1012, 1013]).toContain(code)
      expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123)
    }
  })

  it('says of each what it means', () => {
    for (const { meaning } of all) expect(meaning).not.toBe('')
  })
})

describe('reconnectAfterClose', () => {
  it('follows the table', () => {
    for (const { code, reason, reconnect } of all) expect(reconnectAfterClose(code, reason)).toBe(reconnect)
  })

  it('backs off after a pair that is not in the table, and stays away after a normal close', () => {
    expect(reconnectAfterClose(1006, '')).toBe('backoff')
    expect(reconnectAfterClose(1008, 'Something newer')).toBe('backoff')
    expect(reconnectAfterClose(1000, '')).toBe('never')
    expect(reconnectAfterClose(1003, '')).toBe('never')
    expect(reconnectAfterClose(1001, 'constructor')).toBe('backoff')
  })
})

describe('the table of error codes', () => {
  it('says of each code what happened and what to do', () => {
    for (const [code, entry] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(entry.message).not.toBe('')
      expect(entry.remedy).not.toBe('')
    }
  })
})
