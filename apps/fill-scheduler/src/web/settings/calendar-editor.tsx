import { type ReactElement, useState } from 'react'
import type { SettingsInput } from '../../planning/settings.js'
import { at } from './setting-path.js'
import { Field, useDesk } from './fields.js'

type Calendar = NonNullable<SettingsInput['calendar']>
type Shift = Calendar['shifts'][number]
type Day = Shift['days'][number]

const DAYS: readonly (readonly [Day, string])[] = [
  ['mon', 'Mo'],
  ['tue', 'Tu'],
  ['wed', 'We'],
  ['thu', 'Th'],
  ['fri', 'Fr'],
  ['sat', 'Sa'],
  ['sun', 'Su'],
]
const WORKDAYS: Shift['days'] = ['mon', 'tue', 'wed', 'thu', 'fri']
/** Long enough at a stretch for a cleaning of a day. */
const FIRST: Calendar = { shifts: [{ days: WORKDAYS, from: '00:00', to: '24:00' }] }

/** When the lines work: always, or in shifts, with holidays. */
export function CalendarEditor(): ReactElement {
  const { settings, set } = useDesk()
  const calendar = at(settings, 'calendar') as Calendar | undefined
  const setShifts = (shifts: readonly Shift[]): void =>
    set('calendar', shifts.length > 0 ? { ...calendar, shifts } : undefined)
  return (
    <div className="stack">
      <label className="check">
        <input
          type="checkbox"
          checked={calendar !== undefined}
          onChange={(event) => set('calendar', event.target.checked ? FIRST : undefined)}
        />
        The lines work in shifts only
      </label>
      {calendar && (
        <>
          {calendar.shifts.map((shift, n) => (
            <ShiftEditor
              key={n}
              number={n + 1}
              shift={shift}
              onChange={(next) => setShifts(calendar.shifts.toSpliced(n, 1, ...(next ? [next] : [])))}
            />
          ))}
          <div className="button-row">
            <button
              type="button"
              onClick={() => setShifts([...calendar.shifts, { days: WORKDAYS, from: '22:00', to: '06:00' }])}
            >
              Add a shift
            </button>
          </div>
          <Holidays days={calendar.holidays ?? []} onDays={(holidays) => set('calendar', { ...calendar, holidays })} />
          <p className="muted">
            Nothing is interrupted by a closed time: what does not fit waits. A clean window runs on meanwhile.
          </p>
        </>
      )}
    </div>
  )
}

function ShiftEditor(props: {
  readonly number: number
  readonly shift: Shift
  /** Undefined: it goes. */
  readonly onChange: (shift: Shift | undefined) => void
}): ReactElement {
  const { number, shift, onChange } = props
  const toggle = (day: Day): void => {
    const days = DAYS.map(([name]) => name).filter((name) => shift.days.includes(name) !== (name === day))
    if (days.length > 0) onChange({ ...shift, days })
  }
  return (
    <fieldset className="shift">
      <legend>Shift {number}</legend>
      <div className="days">
        {DAYS.map(([day, title]) => (
          <label key={day}>
            <input type="checkbox" checked={shift.days.includes(day)} onChange={() => toggle(day)} />
            <span>{title}</span>
          </label>
        ))}
      </div>
      <label>
        from{' '}
        <input
          type="time"
          required
          value={shift.from}
          onChange={(event) => onChange({ ...shift, from: event.target.value })}
        />
      </label>
      <label>
        to{' '}
        <input
          type="time"
          required
          value={shift.to === '24:00' ? '00:00' : shift.to}
          onChange={(event) =>
            onChange({ ...shift, to: event.target.value === '00:00' ? '24:00' : event.target.value })
          }
        />
      </label>
      <button type="button" className="quiet" aria-label={`Remove shift ${number}`} onClick={() => onChange(undefined)}>
        Remove
      </button>
    </fieldset>
  )
}

function Holidays({
  days,
  onDays,
}: {
  readonly days: readonly string[]
  readonly onDays: (days: string[]) => void
}): ReactElement {
  const [day, setDay] = useState('')
  const add = (): void => {
    if (day !== '') onDays([...new Set([...days, day])].toSorted())
    setDay('')
  }
  return (
    <Field path="calendar.holidays" label="Holidays">
      {(ids) => (
        <>
          <div className="button-row">
            <input {...ids} type="date" value={day} onChange={(event) => setDay(event.target.value)} />
            <button type="button" onClick={add} aria-disabled={day === ''}>
              Add
            </button>
          </div>
          <ul className="chips">
            {days.map((one) => (
              <li key={one}>
                {one}
                <button
                  type="button"
                  aria-label={`Remove ${one}`}
                  onClick={() => onDays(days.filter((other) => other !== one))}
                >
                  ×
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Field>
  )
}
