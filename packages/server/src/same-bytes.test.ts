import { describe, expect, it } from 'vitest'
import { isSame } from './same-bytes.js'

describe('two secrets', () => {
  it.each<[string, string, boolean]>([
    ['secret', 'secret', true],
    ['', '', true],
    ['secret', 'secreT', false],
    ['secret', 'secret2', false],
    ['', 's', false],
  ])('%j and %j are the same: %s', (one, other, same) =>
    expect(isSame(Buffer.from(one), Buffer.from(other))).toBe(same),
  )
})
