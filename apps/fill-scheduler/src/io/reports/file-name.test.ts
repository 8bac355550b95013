import { describe, expect, it } from 'vitest'
import { fileName } from './file-name.js'

describe('the name of a file', () => {
  it.each([
    ['Week 1', 'Week_1.csv'],
    ['../../etc/passwd', 'etc_passwd.csv'],
    ['C:\\temp', 'C_temp.csv'],
    ['.hidden', 'hidden.csv'],
    ['--help', 'help.csv'],
    ['a\u0000b\u202Ec', 'a_b_c.csv'],
    ['nul', 'schedule_nul.csv'],
    ['   ', 'schedule.csv'],
    ['Größe', 'Größe.csv'],
    ['a"; rm -rf', 'a_;_rm_-rf.csv'],
  ])('made of %j is %j', (title, name) => {
    expect(fileName(title, 'csv')).toBe(name)
  })

  it('is short enough for every system', () => {
    expect(Buffer.byteLength(fileName('批'.repeat(200), 'xlsx'))).toBeLessThanOrEqual(125)
  })
})
