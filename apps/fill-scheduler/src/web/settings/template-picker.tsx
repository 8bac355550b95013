import { type ReactElement, useRef, useState } from 'react'
import type { SettingsInput } from '../../planning/settings.js'
import { api } from '../api/api.js'
import type { Template } from '../api/answers.js'
import { Notice } from '../shell/notice.js'
import { useAction } from '../shell/use-action.js'

/** Loads settings from a template, or keeps them as one. */
export function TemplatePicker(props: {
  readonly templates: readonly Template[]
  /** Which one the settings are of at first. */
  readonly initial: string
  readonly settings: SettingsInput
  readonly onLoad: (settings: SettingsInput) => void
  readonly onSaved: () => void
}): ReactElement {
  const { templates, settings, onLoad, onSaved } = props
  const [chosen, setChosen] = useState(props.initial)
  const [name, setName] = useState<string>()
  const { run, problem, isBusy } = useAction()
  const choose = (id: string): void => {
    setChosen(id)
    onLoad(templates.find((one) => one.id === id)?.settings ?? {})
  }
  /** Kept, but not yet the default: another try makes no second one. */
  const half = useRef<{ readonly text: string; readonly id: string }>(undefined)
  const keep = async (isDefault: boolean): Promise<void> => {
    const draft = { name: (name ?? '').trim(), settings, is_public: false }
    const text = JSON.stringify(draft)
    const id = half.current?.text === text ? half.current.id : (await api.createTemplate(draft)).id
    half.current = { text, id }
    if (isDefault) await api.setDefaultTemplate(id)
    half.current = undefined
    setName(undefined)
    setChosen(id)
    onSaved()
  }
  return (
    <div className="template-picker stack">
      <div className="button-row">
        <label className="grow">
          <span className="visually-hidden">Template</span>
          <select value={chosen} onChange={(event) => choose(event.target.value)}>
            <option value="">Product defaults</option>
            {templates.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
                {one.is_default ? ' (default)' : ''}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          onClick={() => setName(name === undefined ? '' : undefined)}
          aria-expanded={name !== undefined}
        >
          Save as template
        </button>
      </div>
      {name !== undefined && (
        <div className="button-row">
          <label className="grow">
            <span className="visually-hidden">Name of the template</span>
            <input
              value={name}
              maxLength={200}
              placeholder="Name of the template"
              autoFocus
              onChange={(event) => setName(event.target.value)}
            />
          </label>
          <button
            type="button"
            aria-disabled={isBusy || name.trim() === ''}
            onClick={() => name.trim() !== '' && run(() => keep(false))}
          >
            Save
          </button>
          <button
            type="button"
            aria-disabled={isBusy || name.trim() === ''}
            onClick={() => name.trim() !== '' && run(() => keep(true))}
          >
            Save as the default
          </button>
        </div>
      )}
      {problem && <Notice tone="bad">{problem}</Notice>}
    </div>
  )
}
