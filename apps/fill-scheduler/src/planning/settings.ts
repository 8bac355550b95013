import { z } from 'zod'
import { STRATEGY_NAMES } from './strategy-name.js'

/** Hours: a bound far above any plan keeps sums exact. */
const hours = z.number().min(0).max(10_000)
const positiveHours = hours.gt(0)
const weight = z.number().min(0).max(1_000)
const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'a time of day, HH:MM')
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'a day, YYYY-MM-DD')

/** Every setting with its default and bounds: the one vocabulary of files, environment, REST and command line. `io/configuration.ts` knows the older names. */
export const settingsSchema = z.strictObject({
  /** When the plan begins, local time of `timeZone`. */
  start: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d$/, 'a local time, YYYY-MM-DD HH:MM')
    .default('2025-01-01 08:00'),
  /** IANA name; times of plans, shifts and holidays are local to it. */
  timeZone: z.string().min(1).max(64).default('UTC'),
  fillRateVialsPerHour: z.number().gt(0).max(10_000_000).default(19_920),
  cleanHours: positiveHours.default(24),
  windowHours: positiveHours.default(120),
  changeover: z
    .strictObject({
      sameTypeHours: hours.default(4),
      differentTypeHours: hours.default(8),
      matrix: z.record(z.string().min(1).max(64), z.record(z.string().min(1).max(64), hours)).default({}),
    })
    .prefault({}),
  /** At least this long between two lots of a block. */
  minLotSpacingHours: hours.default(0),
  lines: z.int().min(1).max(16).default(1),
  strategy: z.enum(STRATEGY_NAMES).default('smart-pack'),
  mode: z.enum(['classic', 'improved']).default('improved'),
  /** Strategies that may be chosen; undefined: all. */
  allowedStrategies: z.array(z.enum(STRATEGY_NAMES)).min(1).optional(),
  strategies: z
    .strictObject({
      smartPack: z
        .strictObject({
          utilPadHours: hours.default(0),
          beamWidth: z.int().min(1).max(10).default(3),
          /** Penalty of a switch of type, and of staying with it. */
          scoreAlpha: weight.default(8),
          scoreBeta: weight.default(4),
          slackWasteWeight: weight.default(3),
          streakBonus: weight.default(1),
          /** Multiplier of the penalties at the beginning and at the end of a window. */
          dynamicSwitchMultMin: weight.default(1),
          dynamicSwitchMultMax: weight.default(1.5),
        })
        .prefault({}),
      cfsPack: z
        .strictObject({
          clusterOrder: z.enum(['by_count', 'by_total_hours']).default('by_count'),
          within: z.enum(['LPT', 'SPT']).default('LPT'),
        })
        .prefault({}),
      hybridPack: z
        .strictObject({
          sameTypeBonus: weight.default(2),
          sptWeight: weight.default(0.5),
          switchPenaltyMult: z.number().min(1).max(1_000).default(1.1),
        })
        .prefault({}),
      exact: z
        .strictObject({
          maxLots: z.int().min(1).max(60).default(30),
          maxBlocks: z.int().min(1).max(60).default(30),
          timeLimitSeconds: z.number().min(1).max(86_400).default(60),
        })
        .prefault({}),
      improver: z
        .strictObject({
          timeLimitSeconds: z.number().min(1).max(86_400).default(60),
          seed: z.int().min(0).max(4_294_967_295).default(42),
          /** Stops when the plan is within this of the lower bound. */
          targetGapPercent: z.number().min(0).max(100).default(0),
        })
        .prefault({}),
    })
    .prefault({}),
  dueDates: z
    .strictObject({
      /** Hours of makespan that one hour late of a lot of priority 1 is worth. */
      latePenaltyPerHour: weight.default(1),
      /** Names that the column `Priority` may hold beside numbers. */
      priorityLevels: z
        .record(z.string().min(1).max(32), z.number().min(0).max(100))
        .default({ high: 3, medium: 2, low: 1 }),
    })
    .prefault({}),
  /** Working time; absent: the lines never rest. */
  calendar: z
    .strictObject({
      shifts: z
        .array(
          z.strictObject({
            days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1),
            from: timeOfDay,
            /** `24:00` is the end of the day; before `from`: on the next day. */
            to: timeOfDay,
          }),
        )
        .min(1)
        .max(21),
      holidays: z.array(day).max(400).default([]),
    })
    .optional(),
  data: z.string().min(1).max(4_096).default('examples/lots.csv'),
  output: z.string().min(1).max(4_096).default('output'),
  interactive: z.boolean().default(false),
  report: z
    .strictObject({
      html: z.boolean().default(true),
      htmlFile: z.string().min(1).max(255).default('report.html'),
      /** With %Y %m %d %H %M %S %%. */
      dateTimeFormat: z.string().min(1).max(64).default('%Y-%m-%d %H:%M'),
    })
    .prefault({}),
})

/** Settings with every default filled in. */
export type Settings = z.output<typeof settingsSchema>

/** Settings as somebody writes them: what is left out has its default. */
export type SettingsInput = z.input<typeof settingsSchema>

/** The settings that hold where nobody says otherwise. */
export const DEFAULT_SETTINGS: Settings = settingsSchema.parse({})
