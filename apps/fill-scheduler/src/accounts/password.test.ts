import { describe, expect, it } from 'vitest'
import { PASSWORD_COST, Passwords, PasswordsBusyError } from './password.js'

const CHEAP = { logN: 4, r: 8, p: 1 }

describe('a password', () => {
  const passwords = new Passwords(CHEAP)

  it('is the one that was stored, and no other', async () => {
    const stored = await passwords.hash('correct horse')
    expect(await passwords.verify('correct horse', stored)).toBe(true)
    expect(await passwords.verify('correct horsf', stored)).toBe(false)
    expect(await passwords.verify('', stored)).toBe(false)
  })

  it('is stored with a salt of its own and what it cost, and nothing that it could be read from', async () => {
    const [one, other] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')])
    expect(one).not.toBe(other)
    expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  })

  it('is the same whatever keyboard composes its letters', async () => {
    expect(await passwords.verify('pässword', await passwords.hash('pa\u0308ssword'))).toBe(true)
  })

  it.each(['', 'scrypt', '$scrypt$ln=4,r=8,p=1$$', '$2b$12$abc'])('is not right where %o is stored', async (stored) => {
    expect(await passwords.verify('', stored)).toBe(false)
  })

  it('stays valid when passwords cost more later, and is known to be outdated', async () => {
    const stored = await passwords.hash('correct horse')
    const dearer = new Passwords({ ...CHEAP, logN: 5 })
    expect(await dearer.verify('correct horse', stored)).toBe(true)
    expect(dearer.isOutdated(stored)).toBe(true)
    expect(passwords.isOutdated(stored)).toBe(false)
  })

  it('costs 128 MiB by default', async () => {
    expect(128 * 2 ** PASSWORD_COST.logN * PASSWORD_COST.r).toBe(128 * 2 ** 20)
    expect(await new Passwords().hash('correct horse')).toContain('$scrypt$ln=17,r=8,p=1$')
  })

  it('takes as long where there is none to compare it with', async () => {
    const real = new Passwords({ ...CHEAP, logN: 15 })
    const seconds = async (stored: string | undefined): Promise<number> => {
      const begun = process.cpuUsage()
      await real.verify('correct horse', stored)
      return process.cpuUsage(begun).user / 1e6
    }
    const known = await seconds(await real.hash('other horse'))
    const unknown = await seconds(undefined)
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(3)
  })

  it('waits for its turn, and is refused where too many wait', async () => {
    const slow = new Passwords({ ...CHEAP, logN: 12 })
    const asked = Array.from({ length: 80 }, () => slow.hash('correct horse'))
    const outcomes = await Promise.allSettled(asked)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2 + 64)
    const refused = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(refused.reason).toBeInstanceOf(PasswordsBusyError)
    await expect(slow.hash('correct horse')).resolves.toContain('$scrypt$')
  })
})
