import { type ReactElement, type ReactNode, createContext, use, useEffect, useId, useState } from 'react'
import type { SettingsInput } from '../../planning/settings.js'
import type { Problem } from '../api/answers.js'
import { at, fieldValue, withAt } from './setting-path.js'

/** What the fields of a form work on. */
export interface SettingsDesk {
  /** What was set; what was not has its default. */
  readonly settings: SettingsInput
  readonly defaults: SettingsInput
  /** Where a plan is about to be made: when it may begin. Elsewhere there is no start until somebody sets one. */
  readonly proposedStart?: string
  readonly problems: readonly Problem[]
  readonly onSettings: (settings: SettingsInput) => void
}

const DeskContext = createContext<SettingsDesk | undefined>(undefined)

/** Gives the fields below it the settings that they show. */
export function SettingsDeskProvider(props: {
  readonly desk: SettingsDesk
  readonly children: ReactNode
}): ReactElement {
  return <DeskContext value={props.desk}>{props.children}</DeskContext>
}

/** The settings that fields show, and their changes. Throws outside of a `SettingsDeskProvider`. */
export function useDesk(): SettingsDesk & {
  readonly set: (path: string, value: unknown) => void
  readonly valueAt: (path: string) => unknown
} {
  const desk = use(DeskContext)
  if (!desk) throw new Error('useDesk outside of a SettingsDeskProvider')
  const { settings, defaults, onSettings } = desk
  return {
    ...desk,
    set: (path, value) => onSettings(withAt(settings, path, value)),
    valueAt: (path) => at(settings, path) ?? at(defaults, path),
  }
}

interface FieldProps {
  readonly path: string
  readonly label: string
  readonly hint?: string
}

/** A number. What is no number yet is kept as typed and not set; an empty field is the default. */
export function NumberField(props: FieldProps & { readonly unit?: string; readonly step?: number }): ReactElement {
  const { path, label, unit, hint, step } = props
  const { settings, defaults, set } = useDesk()
  const own = at(settings, path)
  const [text, setText] = useState(fieldValue(own))
  const shown = text !== '' && Number(text) === own ? text : own === undefined ? text : fieldValue(own)
  useEffect(() => {
    // A template that was loaded, or all reset.
    setText((before) => (Number(before) === own && before !== '' ? before : fieldValue(own)))
  }, [own])
  const change = (next: string): void => {
    setText(next)
    set(path, next.trim() === '' || Number.isNaN(Number(next)) ? undefined : Number(next))
  }
  return (
    <Field path={path} label={unit ? `${label} (${unit})` : label} hint={hint}>
      {(ids) => (
        <input
          {...ids}
          type="number"
          step={step ?? 'any'}
          value={shown}
          placeholder={fieldValue(at(defaults, path))}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  )
}

/** One of a few. */
export function ChoiceField(
  props: FieldProps & { readonly choices: readonly (readonly [value: string, title: string])[] },
): ReactElement {
  const { path, label, hint, choices } = props
  const { set, valueAt } = useDesk()
  return (
    <Field path={path} label={label} hint={hint}>
      {(ids) => (
        <select {...ids} value={fieldValue(valueAt(path))} onChange={(event) => set(path, event.target.value)}>
          {choices.map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** What ties a field to its texts, for those who do not see that they stand together. */
export interface FieldIds {
  readonly id: string
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string | undefined
}

/** A label, a control, a hint, and what is wrong with the setting. */
export function Field(
  props: Omit<FieldProps, 'hint'> & {
    readonly hint?: string | undefined
    readonly children: (ids: FieldIds) => ReactNode
  },
): ReactElement {
  const { path, label, hint, children } = props
  const id = useId()
  const problems = useDesk().problems.filter(({ field }) => field === path || field?.startsWith(`${path}.`))
  const isWrong = problems.length > 0
  const note = isWrong || hint ? `${id}note` : undefined
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-invalid': isWrong, 'aria-describedby': note })}
      {note && (
        <small id={note} className={isWrong ? 'wrong' : undefined}>
          {isWrong ? problems.map(({ message }) => message).join(' ') : hint}
        </small>
      )}
    </div>
  )
}
