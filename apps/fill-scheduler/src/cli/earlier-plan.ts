import { z } from 'zod'
import { planTime } from '../io/plan-time.js'
import type { Activity } from '../planning/plan.js'
import type { Settings } from '../planning/settings.js'
import type { PlanInput } from '../store/store.js'
import { readInput } from './input-files.js'
import { Failure } from './shell.js'

const optionalText = z.string().nullish()

/** What is needed of an activity, in the names of `--json` and of the JSON report. */
const activitySchema = z.looseObject({
  start: z.iso.datetime({ offset: true }),
  startHours: z.number().optional(),
  endHours: z.number().optional(),
  start_hours: z.number().optional(),
  end_hours: z.number().optional(),
  kind: z.enum(['CLEAN', 'CHANGEOVER', 'FILL', 'CLOSED']),
  line: z.int().min(1).max(16),
  lotId: optionalText,
  lot_id: optionalText,
  lotType: optionalText,
  lot_type: optionalText,
  note: optionalText,
})
const activities = z.array(activitySchema).min(1).max(100_000)
const planSchema = z.union([
  z.looseObject({ activities }).transform((plan) => plan.activities),
  z.looseObject({ results: z.looseObject({ activities }) }).transform((plan) => plan.results.activities),
])

/** The work of an earlier plan, a JSON file of this program, that stays when planning begins anew at `from`. @throws Failure */
export async function earlierPlan(
  path: string,
  from: string,
  settings: Settings,
): Promise<NonNullable<PlanInput['frozen']>> {
  const time = planTime(settings)
  const fromHours = time.parse(from)
  if (fromHours === undefined) throw new Failure(`--from must be a time, YYYY-MM-DD HH:MM, received "${from}"`)
  const parsed = planSchema.safeParse(jsonOf(await readInput(path, '--replan'), path))
  if (!parsed.success) throw new Failure(`${path} is no plan as \`schedule --json\` or \`--format json\` writes it`)
  const shift = shiftOf(parsed.data, settings)
  return { activities: parsed.data.map((entry) => activityOf(entry, shift)), fromHours }
}

type Entry = z.output<typeof activitySchema>

function jsonOf(text: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(text))
  } catch {
    throw new Failure(`${path} is not JSON`)
  }
}

/** Below this the difference is that of milliseconds, and none. */
const SAME_START_HOURS = 1e-6

/** By how many hours the earlier plan began later than this one. */
function shiftOf([first]: readonly Entry[], settings: Settings): number {
  if (first === undefined) return 0
  const hours = planTime(settings).hoursOf(new Date(first.start)) - (first.startHours ?? first.start_hours ?? 0)
  return Math.abs(hours) < SAME_START_HOURS ? 0 : hours
}

function activityOf(entry: Entry, shift: number): Activity {
  const startHours = (entry.startHours ?? entry.start_hours ?? Number.NaN) + shift
  const endHours = (entry.endHours ?? entry.end_hours ?? Number.NaN) + shift
  if (!(endHours >= startHours)) throw new Failure('each activity of the earlier plan needs startHours and endHours')
  const lotId = entry.lotId ?? entry.lot_id
  const lotType = entry.lotType ?? entry.lot_type
  return {
    kind: entry.kind,
    line: entry.line,
    startHours,
    endHours,
    ...(lotId == null ? {} : { lotId }),
    ...(lotType == null ? {} : { lotType }),
    ...(entry.note == null ? {} : { note: entry.note }),
  }
}
