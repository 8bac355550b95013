import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { EXAMPLE_LOTS } from '../../testing/reference-lots.js'
import { sampleReport } from '../../testing/report-samples.js'
import { comparisonFile, comparisonFolder, type ComparisonReport } from './comparison-report.js'

const byTime = [...EXAMPLE_LOTS].sort((one, other) => other.fillHours - one.fillHours)

/** The order given, the longest lots first, and a strategy that refused. */
function report(): ComparisonReport {
  const given = sampleReport()
  const longest = sampleReport({ lots: byTime })
  return {
    name: 'January <1>',
    settings: given.settings,
    lots: EXAMPLE_LOTS,
    runs: [
      { strategy: 'lpt-pack', result: { ...longest.result, problems: [] } },
      { strategy: 'exact', error: { code: 'too_many_lots', message: 'too many <lots>' } },
      { strategy: 'given', result: { ...given.result, problems: [] } },
    ],
    generatedAt: new Date('2025-01-01T06:30:00Z'),
  }
}

async function text(format: 'csv' | 'html' | 'json', comparison = report()): Promise<string> {
  return new TextDecoder().decode((await comparisonFile(format, comparison)).bytes)
}

describe('a comparison', () => {
  it('has the six figures of every run as CSV, the order given first', async () => {
    const rows = parse(await text('csv')) as string[][]
    expect(rows[0]).toEqual([
      ...['Run', 'Makespan (h)', 'Total Clean (h)', 'Total Changeover (h)', 'Total Fill (h)', 'Lots Scheduled'],
      ...['Clean Blocks', 'Note'],
    ])
    expect(rows[1]).toEqual(['Given (CSV Order)', '545.16', '120.00', '72.00', '353.16', '15', '5', ''])
    expect(rows[2]?.[0]).toBe('lpt-pack')
    expect(rows[3]).toEqual(['exact', '', '', '', '', '', '', 'too many <lots>'])
  })

  it('says what was left out, and why', async () => {
    const message = 'exact plans one line only, <lines> is 2'
    const some = { ...report(), leftOut: [{ strategy: 'exact', code: 'unsupported_by_exact', message }] as const }
    const comparison: ComparisonReport = { ...some, runs: some.runs.filter(({ strategy }) => strategy !== 'exact') }
    const rows = parse(await text('csv', comparison)) as string[][]
    expect(rows.at(-1)).toEqual(['exact', '', '', '', '', '', '', `Left out: ${message}`])
    expect(await text('html', comparison)).toContain('<li>exact: exact plans one line only, &lt;lines&gt; is 2</li>')
    expect(JSON.parse(await text('json', comparison))).toMatchObject({
      summary: { strategies: 1 },
      left_out: [{ strategy: 'exact', code: 'unsupported_by_exact', message }],
    })
    expect(await text('html')).not.toContain('Left out')
  })

  it('is one page: figures, differences, and schedules of which the order given is open', async () => {
    const html = await text('html')
    expect(html).toContain('January &lt;1&gt;')
    expect(html).toMatch(/<details open><summary>Given \(CSV Order\)<\/summary>/)
    expect(html).toMatch(/<details><summary>lpt-pack<\/summary>/)
    expect(html).toContain('<p class="error">too many &lt;lots&gt;</p>')
    expect(html).toContain('lpt-pack (best)')
    expect(html.match(/<h3>lpt-pack<\/h3>/g)).toHaveLength(1)
    expect(html).not.toContain('<h3>exact</h3>')
  })

  it('tells the makespan of the best strategy, which need not be the least', async () => {
    const { result } = sampleReport()
    const { statistics } = result
    const shorter = { ...statistics, makespanHours: statistics.makespanHours - 0.1 }
    const calmer = { ...statistics, changeovers: 1 }
    const runs: ComparisonReport['runs'] = [
      { strategy: 'given', result: { ...result, problems: [] } },
      { strategy: 'spt-pack', result: { ...result, statistics: shorter, problems: [] } },
      { strategy: 'lpt-pack', result: { ...result, statistics: calmer, problems: [] } },
    ]
    expect(await text('html', { ...report(), runs })).toContain(
      'Best strategy: lpt-pack (makespan 545.16 h, 0.0 % less than the order given)',
    )
  })

  it('shows differences of hours with two decimals, and none of numbers', async () => {
    const html = await text('html')
    expect(html).toMatch(
      /Makespan \(h\)<\/th><td class="number">545\.16<\/td>[^]*?<td class="number (?:less">-|more">\+)\d+\.\d\d</,
    )
    expect(html).toMatch(/Lots Scheduled<\/th><td class="number">15<\/td><td class="number">15<\/td><td><\/td>/)
  })

  it('is a JSON document with the best strategy and what became of each run', async () => {
    const document = JSON.parse(await text('json'))
    expect(document.best_strategy).toBe('lpt-pack')
    expect(document.summary).toMatchObject({ strategies: 2, completed: 1 })
    expect(document.results.map(({ strategy }: { strategy: string }) => strategy)).toEqual([
      'given',
      'lpt-pack',
      'exact',
    ])
    expect(document.results[1].activities.length).toBeGreaterThan(20)
    expect(document.results[2]).toEqual({
      strategy: 'exact',
      error: { code: 'too_many_lots', message: 'too many <lots>' },
      deltas: null,
    })
  })

  it('is a folder of files for who has no other program', () => {
    expect([...comparisonFolder(report()).keys()]).toEqual([
      'kpis_all_runs.csv',
      'comparison_all_in_one.html',
      'optimized_schedule_lpt-pack.csv',
    ])
  })
})
