import { describe, expect, it } from 'vitest'
import { type Report, type StoredMarks, judge } from './muster-verdict.js'

const STORED: StoredMarks = { number: 9, members: ['a', 'b'], isEmpty: false, isItsOwn: true }

function report(who: string, more: Partial<Report> = {}): Report {
  return { who, members: ['a', 'b'], knows: 'everything', number: 9, gone: 0, generation: '1', ...more }
}

describe('the verdict of a muster', () => {
  it('trusts the logs when every member has reported, and together they know everything', () => {
    expect(judge(STORED, [report('a'), report('b')])).toEqual({ awaited: [], doubt: undefined })
  })

  it('trusts nothing while a member is missing, whether the server knows of it or one who reported', () => {
    expect(judge(STORED, [report('a')])).toMatchObject({ awaited: ['b'], doubt: expect.stringContaining('1 nodes') })
    const other = judge({ ...STORED, members: [] }, [report('a', { members: ['a', 'c'] })])
    expect(other).toMatchObject({ awaited: ['c'], doubt: expect.any(String) })
  })

  it('does not wait for one who came after, and counts what it says', () => {
    expect(judge(STORED, [report('a'), report('b'), report('new', { members: [], knows: 'nothing' })])).toEqual({
      awaited: [],
      doubt: undefined,
    })
  })

  it('trusts nothing when somebody knows a part only, and waits for nobody then', () => {
    const partly = judge(STORED, [report('a', { knows: 'part' })])
    expect(partly).toEqual({ awaited: [], doubt: expect.stringContaining('in full') })
  })

  it('trusts a server that nobody remembers only if all had left in order and it wrote its own file', () => {
    const fresh = [report('new', { members: [], knows: 'nothing' })]
    expect(judge({ ...STORED, members: [] }, fresh).doubt).toBeUndefined()
    expect(judge({ ...STORED, members: [], isItsOwn: false }, fresh).doubt).toContain('no node remembers')
    expect(judge(STORED, fresh)).toMatchObject({ awaited: ['a', 'b'] })
  })

  it('doubts a server without marks, unless it holds nothing at all', () => {
    const lost = { number: undefined, members: [], isItsOwn: true }
    expect(judge({ ...lost, isEmpty: false }, [report('a', { members: ['a'] })]).doubt).toContain('no marks')
    expect(judge({ ...lost, isEmpty: true }, [report('a', { members: ['a'] })]).doubt).toBeUndefined()
  })
})
