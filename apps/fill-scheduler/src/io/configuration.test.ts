import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, type Settings, type SettingsInput, settingsSchema } from '../planning/settings.js'
import { STRATEGY_NAMES } from '../planning/strategy-name.js'
import type { Problem } from '../problem.js'
import { exportConfiguration } from './configuration-export.js'
import { type ConfigurationSources, loadConfiguration, settingsFrom, settingsFromText } from './configuration.js'
import { SETTING_TABLE } from './setting-table.js'

const told = (problems: readonly Problem[]): string[] => problems.map(({ code, message }) => `${code}: ${message}`)

describe('settings', () => {
  it('are the defaults where nothing is said', () => {
    expect(settingsFrom({})).toEqual({ settings: DEFAULT_SETTINGS, input: {}, problems: [] })
  })

  it('go before those of a base, one by one', () => {
    const base = { cleanHours: 12, changeover: { sameTypeHours: 1, matrix: { A: { B: 2 } } } }
    const { settings, input } = settingsFrom({ changeover: { same_type_hours: 3 } }, base)
    expect(settings).toMatchObject({ cleanHours: 12, changeover: { sameTypeHours: 3, matrix: { A: { B: 2 } } } })
    expect(input).toEqual({ cleanHours: 12, changeover: { sameTypeHours: 3, matrix: { A: { B: 2 } } } })
  })

  it('have the names of the older engine', () => {
    const { settings, problems } = settingsFrom({
      START_TIME_STR: '2025-03-01 06:00',
      STRATEGY: 'milp-opt',
      FILL_RATE_VPH: 10_000,
      CLEAN_HOURS: 20,
      CHG_SAME_HOURS: 1,
      CHG_DIFF_HOURS: 2,
      BEAM_WIDTH: 5,
      CFS_WITHIN: 'SPT',
      HYBRID_SPT_WEIGHT: 0.1,
      MILP_TIME_LIMIT: 10,
      HTML_REPORT: false,
      DATETIME_FMT: '%d.%m.%Y',
    })
    expect(problems).toEqual([])
    expect(settings).toMatchObject({
      start: '2025-03-01 06:00',
      strategy: 'exact',
      fillRateVialsPerHour: 10_000,
      cleanHours: 20,
      changeover: { sameTypeHours: 1, differentTypeHours: 2 },
      strategies: {
        smartPack: { beamWidth: 5 },
        cfsPack: { within: 'SPT' },
        hybridPack: { sptWeight: 0.1 },
        exact: { timeLimitSeconds: 10 },
      },
      report: { html: false, dateTimeFormat: '%d.%m.%Y' },
    })
  })

  it('have the names of its files', () => {
    const { settings, problems } = settingsFrom({
      data_path: 'lots.csv',
      chg_diff_hours: 9,
      strategies: {
        smart_pack: { util_pad_hours: 1, dynamic_switch_mult_max: 2 },
        cfs: { cluster_order: 'by_total_hours' },
        hybrid: { switch_penalty_mult: 1.5 },
        milp: { max_lots: 12, time_limit: 30 },
      },
    })
    expect(problems).toEqual([])
    expect(settings).toMatchObject({
      data: 'lots.csv',
      changeover: { differentTypeHours: 9 },
      strategies: {
        smartPack: { utilPadHours: 1, dynamicSwitchMultMax: 2 },
        cfsPack: { clusterOrder: 'by_total_hours' },
        hybridPack: { switchPenaltyMult: 1.5 },
        exact: { maxLots: 12, timeLimitSeconds: 30 },
      },
    })
  })

  it('have the names of templates of the REST API', () => {
    const { settings, problems } = settingsFrom({
      max_clean_hours: 4,
      default_changeover_hours: 2,
      min_lot_spacing_hours: 0.5,
      window_penalty_weight: 3,
      priority_levels: { high: 3, medium: 2, low: 1 },
      changeover_matrix: { A: { B: 1 } },
      milp_time_limit: 300,
      allowed_strategies: ['smart-pack', 'milp_opt', 'LPT'],
    })
    expect(problems).toEqual([])
    expect(settings).toMatchObject({
      cleanHours: 4,
      changeover: { sameTypeHours: 2, differentTypeHours: 2, matrix: { A: { B: 1 } } },
      minLotSpacingHours: 0.5,
      dueDates: { latePenaltyPerHour: 3 },
      strategies: { exact: { timeLimitSeconds: 300 } },
      allowedStrategies: ['smart-pack', 'exact', 'lpt-pack'],
    })
  })

  it('are all in the table, and nothing else is', () => {
    const paths = leavesOf(settingsFrom({ ...EVERY_OPTIONAL }).settings)
    expect(Object.keys(SETTING_TABLE).toSorted()).toEqual(paths.toSorted())
  })

  it.each([
    ['not_a_mapping: Settings must be a mapping of names to values, received a list of 0.', []],
    ['not_a_mapping: strategies must be a mapping, received 5.', { strategies: 5 }],
    ['unknown_setting: There is no setting cleen_hours; cleanHours is one.', { cleen_hours: 5 }],
    ['unknown_setting: There is no setting beam_widht; strategies.smartPack.beamWidth is one.', { beam_widht: 5 }],
    ['unknown_setting: There is no setting strategies.milp.gap.', { strategies: { milp: { gap: 1 } } }],
    ['unknown_setting: There is no setting __proto__.', JSON.parse('{"__proto__": {"lines": 3}}')],
    ['unknown_setting: There is no setting constructor.', { constructor: 1 }],
    [
      'duplicate_setting: cleanHours is given twice, as CLEAN_HOURS and as clean_hours.',
      { CLEAN_HOURS: 1, clean_hours: 1 },
    ],
    [
      'duplicate_setting: changeover.sameTypeHours is given twice, as CHG_SAME_HOURS and as CHANGEOVER_DEFAULT.',
      { CHG_SAME_HOURS: 1, CHANGEOVER_DEFAULT: 1 },
    ],
    ['bad_setting: cleanHours must be a number above 0, at most 10000, received 0.', { cleanHours: 0 }],
    [
      'bad_setting: cleanHours must be a number above 0, at most 10000, received "x" (given as max_clean_hours).',
      { max_clean_hours: 'x' },
    ],
    ['bad_setting: windowHours must be a number above 0, at most 10000, received NaN.', { windowHours: Number.NaN }],
    ['bad_setting: lines must be a whole number from 1 to 16, received 1.5.', { lines: 1.5 }],
    [
      'bad_setting: strategies.smartPack.beamWidth must be a whole number from 1 to 10, received 11 (given as BEAM_WIDTH).',
      { BEAM_WIDTH: 11 },
    ],
    ['bad_setting: mode must be one of classic, improved, received "best".', { mode: 'best' }],
    [
      'bad_setting: strategy must be one of smart-pack, spt-pack, lpt-pack, cfs-pack, hybrid-pack, exact, improver, received "magic".',
      { strategy: 'magic' },
    ],
    [
      'bad_setting: allowedStrategies.1 must be one of smart-pack, spt-pack, lpt-pack, cfs-pack, hybrid-pack, exact, improver, received "magic".',
      { allowedStrategies: ['exact', 'magic'] },
    ],
    [
      'bad_setting: allowedStrategies must be a list of at least 1 items, received a list of 0.',
      { allowedStrategies: [] },
    ],
    ['bad_setting: start must be a local time, YYYY-MM-DD HH:MM, received "today".', { start: 'today' }],
    [
      'bad_setting: start must be a time of a day that exists, received "2025-02-30 08:00".',
      { start: '2025-02-30 08:00' },
    ],
    [
      'bad_setting: timeZone must be the name of a time zone, such as Europe/Berlin, received "Berlin".',
      { timeZone: 'Berlin' },
    ],
    [
      'bad_setting: changeover.matrix.A.B must be a number from 0 to 10000, received -1.',
      { changeover: { matrix: { A: { B: -1 } } } },
    ],
    ['bad_setting: changeover.matrix.A must be a mapping, received 4.', { changeover: { matrix: { A: 4 } } }],
    [
      'bad_setting: changeover.matrix cannot have a member __proto__.',
      { changeover: { matrix: JSON.parse('{"__proto__": {"A": 1}}') } },
    ],
    [
      'bad_setting: dueDates.priorityLevels. must have a name of 1 to 64 characters.',
      { dueDates: { priorityLevels: { '': 1 } } },
    ],
    [
      'bad_setting: report.dateTimeFormat must be a text with %Y %m %d %H %M %S %%, received "%Y-%j".',
      { report: { dateTimeFormat: '%Y-%j' } },
    ],
    [
      'bad_setting: report.htmlFile must be a file name without folders, received "../x.html".',
      { report: { htmlFile: '../x.html' } },
    ],
    [
      'bad_setting: report.htmlFile must be a file name that no other report has, received "Schedule.csv".',
      { report: { htmlFile: 'Schedule.csv' } },
    ],
    ['bad_setting: interactive must be true or false, received "yes".', { interactive: 'yes' }],
    ['bad_setting: calendar.shifts must be a list of 1 to 21 items, received nothing.', { calendar: { holidays: [] } }],
    [
      'bad_setting: calendar.shifts.0 has no member "day".',
      { calendar: { shifts: [{ days: ['mon'], day: 1, from: '06:00', to: '24:00' }] } },
    ],
    [
      'bad_setting: calendar.shifts.0.from must be a time of day, HH:MM, received "6:00".',
      { calendar: { shifts: [{ days: ['mon'], from: '6:00', to: '14:00' }] } },
    ],
    [
      'bad_setting: calendar.shifts.0 must be from one time to another (00:00 to 24:00 is all day), received 06:00 to 06:00.',
      { calendar: { shifts: [{ days: ['mon'], from: '06:00', to: '06:00' }] } },
    ],
    [
      'bad_setting: calendar.holidays.0 must be a day that exists, received "2025-02-29".',
      { calendar: { shifts: [{ days: ['mon'], from: '00:00', to: '24:00' }], holidays: ['2025-02-29'] } },
    ],
    [
      'no_working_time: A cleaning takes 24 h, but calendar has no more than 8 h without a rest.',
      { calendar: { shifts: [{ days: ['mon'], from: '06:00', to: '14:00' }] } },
    ],
  ])('are refused: %s', (message, value) => {
    const { settings, problems } = settingsFrom(value)
    expect(told(problems)).toEqual([message])
    expect(problems[0]?.severity).toBe('error')
    expect(settings).toEqual(DEFAULT_SETTINGS)
  })

  it('are refused for all reasons at once, 100 of them at most', () => {
    expect(told(settingsFrom({ lines: 0, mode: 1, nothing: 2 }).problems)).toHaveLength(3)
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`x${at}`, at]))
    expect(settingsFrom(many).problems).toHaveLength(101)
  })

  it('may be unusual: warnings', () => {
    const { settings, problems } = settingsFrom({ cleanHours: 25, milp_time_limit: 3_601 })
    expect(problems.map(({ severity, code, field }) => [severity, code, field])).toEqual([
      ['warning', 'long_clean', 'cleanHours'],
      ['warning', 'long_time_limit', 'strategies.exact.timeLimitSeconds'],
    ])
    expect(settings.cleanHours).toBe(25)
  })

  it('of anything are settings or problems', () => {
    const name = fc.constantFrom(
      ...Object.keys(SETTING_TABLE).flatMap((path) => path.split('.')),
      'STRATEGY',
      '__proto__',
    )
    const value = fc.anything({ key: name, withNullPrototype: true, maxDepth: 2, maxKeys: 4 })
    fc.assert(
      fc.property(fc.oneof(value, fc.dictionary(name, value)), (given) => {
        const { settings, problems } = settingsFrom(given)
        expect(settingsSchema.safeParse(settings).success).toBe(true)
        if (problems.some(({ severity }) => severity === 'error')) expect(settings).toEqual(DEFAULT_SETTINGS)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a text', () => {
  it.each([
    ['of nothing', ''],
    ['of comments', '# nothing yet\n'],
    ['with empty groups', 'strategies:\n  milp:\nreport: {}\n'],
  ])('%s is the defaults', (_, text) => {
    expect(settingsFromText(text, 'yaml')).toEqual({ settings: DEFAULT_SETTINGS, input: {}, problems: [] })
  })

  it.each([
    ['bad_yaml', 2, 'yaml', 'lines: 1\nlines: 2\n'],
    ['bad_yaml', 2, 'yaml', 'lines: [1\n'],
    ['bad_yaml', 1, 'yaml', 'lines: !!js/function 1\n'],
    ['bad_yaml', undefined, 'yaml', `a: &a [x, x, x, x, x, x, x, x, x]\n${BOMB()}`],
    ['not_a_mapping', undefined, 'yaml', '- 1\n'],
    ['not_a_mapping', undefined, 'yaml', 'hello'],
    ['bad_json', undefined, 'json', ''],
    ['bad_json', undefined, 'json', '{"lines": 1,}'],
    ['bad_json', 1, 'json', '{"lines": 1, "lines": 2}'],
    ['too_large', undefined, 'yaml', `#${'x'.repeat(256 * 1024)}`],
    ['bad_yaml', undefined, 'yaml', '['.repeat(100_000)],
    ['bad_yaml', undefined, 'yaml', '- '.repeat(100_000)],
    ['bad_yaml', undefined, 'yaml', '- &a '.repeat(40_000)],
    ['bad_json', undefined, 'json', '{"a":'.repeat(40_000)],
  ] as const)('is refused: %s in line %s of %s', (code, row, format, text) => {
    const { settings, problems } = settingsFromText(text, format)
    expect(settings).toEqual(DEFAULT_SETTINGS)
    expect(problems[0]).toMatchObject({ severity: 'error', code, ...(row === undefined ? {} : { row }) })
  })

  it('of anything is settings or problems', () => {
    const piece = fc.constantFrom(
      'lines',
      ': ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&a ',
      '*a',
      '<<',
      '1',
      '!!',
      '|',
      '%',
      '---',
      ',',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.constantFrom('yaml', 'json'), (pieces, format) => {
        expect(settingsSchema.safeParse(settingsFromText(pieces.join(''), format).settings).success).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

function BOMB(): string {
  const names = 'abcdefghi'
  return [...names.slice(1)].map((name, at) => `${name}: &${name} [${`*${names[at]},`.repeat(9)}]\n`).join('')
}

describe('an export', () => {
  it.each(['yaml', 'json'] as const)('of the defaults in %s says the same when it is read', (format) => {
    const { settings, problems } = settingsFromText(exportConfiguration(format), format)
    expect({ settings, problems }).toEqual({ settings: DEFAULT_SETTINGS, problems: [] })
  })

  it('says of each setting what it is for', () => {
    const text = exportConfiguration('yaml')
    for (const { note } of Object.values(SETTING_TABLE)) expect(text).toContain(note)
    expect(exportConfiguration('yaml', { comments: false })).not.toContain('#')
  })

  it('in another format is refused', () => {
    expect(() => exportConfiguration('toml')).toThrow('Unsupported format: toml (use yaml or json).')
  })

  it('of any settings says the same when it is read', () => {
    fc.assert(
      fc.property(anySettings(), fc.constantFrom('yaml', 'json'), fc.boolean(), (input, format, comments) => {
        const known = settingsFrom(input)
        expect(known.problems.filter(({ severity }) => severity === 'error')).toEqual([])
        for (const settings of [known.settings, known.input]) {
          const read = settingsFromText(exportConfiguration(format, { settings, comments }), format)
          expect(read.settings).toEqual(known.settings)
          expect(read.problems).toEqual(known.problems)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the configuration of a program', () => {
  let folder: string
  let home: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'configuration-'))
    home = join(folder, 'home')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const load = (sources: Partial<ConfigurationSources> = {}): ReturnType<typeof loadConfiguration> =>
    loadConfiguration({ cwd: folder, home, ...sources })
  const write = async (path: string, text: string): Promise<string> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
    return join(folder, path)
  }

  it('is the defaults where there is none', async () => {
    expect(await load()).toEqual({ settings: DEFAULT_SETTINGS, input: {}, problems: [] })
  })

  it.each([
    '.fill-scheduler.yaml',
    '.fill-scheduler.yml',
    '.fill-scheduler.json',
    '.fillscheduler.yaml',
    '.fillscheduler.yml',
    'home/.config/fill-scheduler/config.yaml',
    'home/.config/fill-scheduler/config.yml',
    'home/.config/fillscheduler/config.yaml',
    'home/.config/fillscheduler/config.yml',
  ])('is found as %s', async (path) => {
    const file = await write(path, '{"lines": 3}')
    expect(await load()).toMatchObject({ file, settings: { lines: 3 }, problems: [] })
  })

  it('is of the working folder before it is of home, and says which file of a place is not used', async () => {
    await write('home/.config/fill-scheduler/config.yaml', 'lines: 4')
    const file = await write('.fill-scheduler.yml', 'lines: 3')
    const other = await write('.fillscheduler.yaml', 'lines: 2')
    const read = await load()
    expect(read).toMatchObject({ file, settings: { lines: 3 } })
    expect(told(read.problems)).toEqual([`config_not_used: ${other} is not used, because there is ${file}.`])
  })

  it('is the file that was named, which must exist and be YAML or JSON', async () => {
    const file = await write('my.yaml', 'lines: 3')
    expect(await load({ path: file })).toMatchObject({ file, settings: { lines: 3 }, problems: [] })
    expect(told((await load({ path: join(folder, 'no.yaml') })).problems)[0]).toMatch(/^config_not_read: .* ENOENT\.$/)
    expect(told((await load({ path: join(folder, 'my.toml') })).problems)).toEqual([
      'unsupported_format: Unsupported config file format: .toml (use .yaml, .yml or .json).',
    ])
    await mkdir(join(folder, 'folder.yaml'))
    expect((await load({ path: join(folder, 'folder.yaml') })).problems).toMatchObject([{ code: 'config_not_read' }])
  })

  it('is changed by the environment, under any case, with JSON or text', async () => {
    const env = {
      FILL_SCHEDULER_LINES: '3',
      FILLSCHEDULER_STRATEGIES__SMART_PACK__BEAM_WIDTH: '7',
      FILL_SCHEDULER_strategies__exact__maxLots: '12',
      fill_scheduler_start: '2025-03-01 06:00',
      FILL_SCHEDULER_DATA: '2025',
      FILL_SCHEDULER_OUTPUT: '"quoted"',
      FILL_SCHEDULER_CHANGEOVER_MATRIX: '{"A": {"B": 1}}',
      FILL_SCHEDULER_SECRET: 'of somebody else',
      OTHER: '1',
    }
    const { settings, problems } = await load({ env, otherVariables: ['SECRET'] })
    expect(problems).toEqual([])
    expect(settings).toMatchObject({
      lines: 3,
      strategies: { smartPack: { beamWidth: 7 }, exact: { maxLots: 12 } },
      start: '2025-03-01 06:00',
      data: '2025',
      output: 'quoted',
      changeover: { matrix: { A: { B: 1 } } },
    })
  })

  it.each([
    ['unknown_setting: There is no setting FILL_SCHEDULER_LINE; lines is one.', { FILL_SCHEDULER_LINE: '1' }],
    [
      'bad_setting: lines must be a whole number from 1 to 16, received "many" (given as FILL_SCHEDULER_LINES).',
      { FILL_SCHEDULER_LINES: 'many' },
    ],
    [
      'duplicate_setting: lines is given twice, as FILL_SCHEDULER_LINES and as FILLSCHEDULER_LINES.',
      { FILL_SCHEDULER_LINES: '1', FILLSCHEDULER_LINES: '1' },
    ],
  ])('is refused for the environment: %s', async (message, env) => {
    expect(told((await load({ env })).problems)).toEqual([message])
  })

  it('is changed by overrides with dotted names, which are checked again', async () => {
    const overrides = { 'strategies.milp.time_limit': '30', chg_same_hours: 1, timeZone: 'Europe/Berlin' }
    expect(await load({ overrides })).toMatchObject({
      problems: [],
      settings: {
        strategies: { exact: { timeLimitSeconds: 30 } },
        changeover: { sameTypeHours: 1 },
        timeZone: 'Europe/Berlin',
      },
    })
    expect(told((await load({ overrides: { 'strategies.milp.time_limit': '0' } })).problems)).toEqual([
      'bad_setting: strategies.exact.timeLimitSeconds must be a number from 1 to 86400, received 0 (given as strategies.milp.time_limit).',
    ])
  })

  it('goes from defaults to file to environment to overrides', async () => {
    await write('.fill-scheduler.yaml', 'lines: 2\nclean_hours: 2\nwindow_hours: 2\n')
    const env = { FILL_SCHEDULER_CLEAN_HOURS: '3', FILL_SCHEDULER_WINDOW_HOURS: '3' }
    const { settings } = await load({ env, overrides: { windowHours: 4 } })
    expect(settings).toMatchObject({ lines: 2, cleanHours: 3, windowHours: 4, fillRateVialsPerHour: 19_920 })
  })

  it('may be the example', async () => {
    const text = await readFile(new URL('../../data/example-settings.yaml', import.meta.url), 'utf8')
    expect(settingsFromText(text, 'yaml')).toMatchObject({ settings: { lines: 2 }, problems: [] })
  })
})

const EVERY_OPTIONAL = {
  allowedStrategies: ['exact'],
  calendar: { shifts: [{ days: ['mon', 'tue'], from: '00:00', to: '24:00' }] },
} as const

/** Paths of settings: whatever is no mapping, and the two mappings whose names users choose. */
function leavesOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    const path = `${prefix}${name}`
    const isGroup = typeof member === 'object' && member !== null && !Array.isArray(member)
    return isGroup && !/matrix|priorityLevels/.test(name) ? leavesOf(member, `${path}.`) : [path]
  })
}

function anySettings(): fc.Arbitrary<SettingsInput> {
  const hours = fc.double({ min: 0, max: 10_000, noNaN: true })
  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text !== '__proto__')
  const matrix = fc.dictionary(name, fc.dictionary(name, hours, { maxKeys: 3 }), { maxKeys: 3 })
  const week: Settings['calendar'] = {
    shifts: [{ days: ['mon', 'tue'], from: '00:00', to: '24:00' }],
    holidays: ['2025-12-25'],
  }
  return fc.record(
    {
      start: fc.constantFrom('2025-03-30 02:30', '1999-12-31 23:59'),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata'),
      cleanHours: fc.double({ min: 0.001, max: 40, noNaN: true }),
      changeover: fc.record({ sameTypeHours: hours, differentTypeHours: hours, matrix }, { requiredKeys: [] }),
      lines: fc.integer({ min: 1, max: 16 }),
      strategy: fc.constantFrom(...STRATEGY_NAMES),
      mode: fc.constantFrom('classic', 'improved'),
      allowedStrategies: fc.subarray([...STRATEGY_NAMES], { minLength: 1 }),
      dueDates: fc.record({ priorityLevels: fc.dictionary(name, fc.integer({ min: 0, max: 100 }), { maxKeys: 3 }) }),
      calendar: fc.constant(week),
      data: fc.string({ minLength: 1, maxLength: 30 }),
      output: fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }),
      report: fc.record({ html: fc.boolean(), dateTimeFormat: fc.constantFrom('%d.%m.%Y', '%%: "#', 'x: y') }),
    },
    { requiredKeys: [] },
  )
}
