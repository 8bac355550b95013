import { describe, expect, it } from 'vitest'
import type { Problem } from '../../problem.js'
import { sampleReport } from '../../testing/report-samples.js'
import { problemText, proofText, summaryText } from './txt.js'

const problem = (change: Partial<Problem>): Problem => ({
  severity: 'error',
  code: 'x',
  message: 'is wrong',
  ...change,
})

describe('the summary', () => {
  it('lists the six figures', () => {
    expect(summaryText(sampleReport()).split('\n').slice(0, 7)).toEqual([
      '=== Schedule Summary ===',
      'Makespan (h): 545.16',
      'Total Clean (h): 120.00',
      'Total Changeover (h): 72.00',
      'Total Fill (h): 353.16',
      'Lots Scheduled: 15',
      'Clean Blocks: 5',
    ])
  })

  it('has sections of errors and warnings only where there are any', () => {
    const text = summaryText(sampleReport({ problems: [problem({ severity: 'warning', row: 3, lotId: 'A1' })] }))
    expect(text).toContain('=== Warnings ===\n- row 3, lot A1: is wrong\n')
    expect(text).not.toContain('=== Errors ===')
  })

  it('says how good the plan is', () => {
    expect(proofText({ proof: { status: 'optimal', boundHours: 497.16, gap: 0 } })).toBe('optimal')
    expect(proofText({ proof: { status: 'feasible', boundHours: 490, gap: 0.0144 } })).toBe(
      'within 1.44 % of 490.00 h, below which no makespan can be',
    )
    expect(proofText({})).toBe('none')
  })

  it('sends nothing to a terminal that steers it', () => {
    expect(problemText(problem({ lotId: '\u001B[2J', column: 'Vials' }))).toBe('Vials, lot \uFFFD[2J: is wrong')
  })
})
