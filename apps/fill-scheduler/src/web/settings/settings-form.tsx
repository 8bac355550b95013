import type { ReactElement, ReactNode } from 'react'
import { CalendarEditor } from './calendar-editor.js'
import { ChoiceField, Field, NumberField, type SettingsDesk, SettingsDeskProvider, useDesk } from './fields.js'
import { MatrixEditor } from './matrix-editor.js'
import { at } from './setting-path.js'

/** Every setting of a plan, in groups that open. `types` are those that the matrix of changeovers offers. */
export function SettingsForm({
  desk,
  types,
}: {
  readonly desk: SettingsDesk
  readonly types: readonly string[]
}): ReactElement {
  return (
    <SettingsDeskProvider desk={desk}>
      <Group title="Start and zone" isOpen paths={['start', 'timeZone']}>
        <div className="fields broad">
          <StartField />
          <ZoneField />
        </div>
      </Group>
      <Group title="Line and cleaning" paths={['fillRateVialsPerHour', 'lines', 'cleanHours', 'windowHours']}>
        <div className="fields">
          <NumberField path="fillRateVialsPerHour" label="Fill rate" unit="vials per hour" />
          <NumberField path="lines" label="Lines side by side" step={1} />
          <NumberField path="cleanHours" label="Cleaning" unit="hours" />
          <NumberField path="windowHours" label="Clean window" unit="hours" />
        </div>
      </Group>
      <Group title="Changeovers" paths={['changeover', 'minLotSpacingHours']}>
        <div className="fields">
          <NumberField path="changeover.sameTypeHours" label="To the same type" unit="hours" />
          <NumberField path="changeover.differentTypeHours" label="To another type" unit="hours" />
          <NumberField path="minLotSpacingHours" label="At least between lots" unit="hours" />
        </div>
        <MatrixEditor types={types} />
      </Group>
      <Group title="Calendar" paths={['calendar']}>
        <CalendarEditor />
      </Group>
      <Group title="Due dates" paths={['dueDates']}>
        <div className="fields">
          <NumberField
            path="dueDates.latePenaltyPerHour"
            label="One hour late is worth"
            unit="hours of makespan"
            hint="Times the priority of the lot. 0: due dates are shown, and nothing is done for them."
          />
        </div>
      </Group>
      <Group title="Fine tuning" paths={['strategies']}>
        <FineTuning />
      </Group>
    </SettingsDeskProvider>
  )
}

function FineTuning(): ReactElement {
  return (
    <div className="fields">
      <NumberField path="strategies.improver.timeLimitSeconds" label="Improver: time limit" unit="seconds" />
      <NumberField path="strategies.improver.targetGapPercent" label="Improver: stop at a gap of" unit="%" />
      <NumberField
        path="strategies.improver.seed"
        label="Improver: seed"
        step={1}
        hint="The same seed tries the same changes."
      />
      <NumberField path="strategies.exact.timeLimitSeconds" label="Exact: time limit" unit="seconds" />
      <NumberField path="strategies.exact.maxLots" label="Exact: at most" unit="lots" step={1} />
      <NumberField path="strategies.smartPack.beamWidth" label="Smart pack: beam width" step={1} />
      <ChoiceField
        path="strategies.cfsPack.clusterOrder"
        label="Cluster by type: order of clusters"
        choices={[
          ['by_count', 'By number of lots'],
          ['by_total_hours', 'By hours'],
        ]}
      />
      <ChoiceField
        path="strategies.cfsPack.within"
        label="Cluster by type: inside a cluster"
        choices={[
          ['LPT', 'Longest first'],
          ['SPT', 'Shortest first'],
        ]}
      />
    </div>
  )
}

function StartField(): ReactElement {
  const { set, settings, proposedStart } = useDesk()
  const start = settings.start ?? proposedStart ?? ''
  const hint =
    start === ''
      ? 'Left empty: the next morning that is worked after it is planned'
      : `${dayName(start)}, local time of the zone`
  return (
    <div>
      <Field path="start" label="Start" hint={hint}>
        {(ids) => (
          <input
            {...ids}
            type="datetime-local"
            value={start.replace(' ', 'T')}
            onChange={(event) =>
              set('start', event.target.value === '' ? undefined : event.target.value.replace('T', ' '))
            }
          />
        )}
      </Field>
      {proposedStart !== undefined && start !== proposedStart && (
        <button type="button" className="as-link" onClick={() => set('start', undefined)}>
          Take {proposedStart}
        </button>
      )}
    </div>
  )
}

/** Dates are written differently everywhere; the day of the week tells whether the right one was meant. */
function dayName(start: string): string {
  const day = new Date(`${start.slice(0, 10)}T00:00Z`)
  return Number.isNaN(day.getTime()) ? 'No day' : day.toLocaleDateString('en-GB', { weekday: 'long', timeZone: 'UTC' })
}

const ZONES = Intl.supportedValuesOf('timeZone')

function ZoneField(): ReactElement {
  const { set, settings, defaults, proposedStart } = useDesk()
  const isTemplate = proposedStart === undefined
  const zone = settings.timeZone ?? (isTemplate ? '' : (defaults.timeZone ?? 'UTC'))
  const zones = ['UTC', ...ZONES.filter((name) => name !== 'UTC')]
  return (
    <Field path="timeZone" label="Time zone">
      {(ids) => (
        <select {...ids} value={zone} onChange={(event) => set('timeZone', event.target.value || undefined)}>
          {isTemplate && <option value="">That of whoever plans</option>}
          {(zone === '' || zones.includes(zone) ? zones : [zone, ...zones]).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** A group that opens by itself where something in it is wrong. */
function Group(props: {
  readonly title: string
  readonly isOpen?: boolean
  readonly paths: readonly string[]
  readonly children: ReactNode
}): ReactElement {
  const { problems, settings, defaults } = useDesk()
  const belongs = (field: string | undefined): boolean =>
    props.paths.some((path) => field === path || field?.startsWith(`${path}.`))
  const isWrong = problems.some(({ field }) => belongs(field))
  const isChanged = props.paths.some((path) => differs(at(settings, path), at(defaults, path)))
  return (
    <details className="group" open={props.isOpen || isWrong || undefined}>
      <summary>
        {props.title}
        {isWrong ? <span className="tag bad">to mend</span> : isChanged && <span className="tag">changed</span>}
      </summary>
      <div className="group-body stack">{props.children}</div>
    </details>
  )
}

function differs(own: unknown, otherwise: unknown): boolean {
  return own !== undefined && JSON.stringify(own) !== JSON.stringify(otherwise)
}
