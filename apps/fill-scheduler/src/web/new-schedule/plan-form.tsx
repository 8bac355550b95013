import { type ReactElement, type SubmitEvent, useMemo, useRef, useState } from 'react'
import type { SettingsInput } from '../../planning/settings.js'
import type { Mode, StrategyName } from '../../planning/strategy-name.js'
import { systemClock } from '../../clock.js'
import { api } from '../api/api.js'
import type { LotData } from '../api/answers.js'
import { messageOf } from '../api/request.js'
import { csvRows } from '../lots/csv-rows.js'
import { LotsInput } from '../lots/lots-input.js'
import { LotsTable } from '../lots/lots-table.js'
import { type Checked, useCheck } from '../lots/use-check.js'
import { go } from '../navigation/use-place.js'
import { SettingsForm } from '../settings/settings-form.js'
import { COMPARED, ModeChoice, StrategyChoice } from '../settings/strategy-choice.js'
import { TemplatePicker } from '../settings/template-picker.js'
import { Notice } from '../shell/notice.js'
import { TryAgain } from '../shell/states.js'
import { useAction } from '../shell/use-action.js'
import { count, counted } from '../wording/numbers.js'
import type { Beginning } from './new-schedule-page.js'
import { homeZone, nextMorning, withoutPastStart } from './next-morning.js'

/** Lots on the left, what to do with them on the right. */
export function PlanForm(props: {
  readonly beginning: Beginning
  readonly isComparison: boolean
  readonly onComparison: (isComparison: boolean) => void
  readonly onTemplates: () => void
  readonly csv: string
}): ReactElement {
  const { beginning, isComparison, onComparison } = props
  const [csv, setCsv] = useState(props.csv)
  const [name, setName] = useState('')
  const ofFile = useRef<string>(undefined)
  const [description, setDescription] = useState('')
  const [settings, setSettings] = useState<SettingsInput>(() => firstSettings(beginning))
  const [strategy, setStrategy] = useState<StrategyName>(
    () => beginning.origin?.strategy ?? settings.strategy ?? 'smart-pack',
  )
  const [many, setMany] = useState<readonly StrategyName[]>(['smart-pack', 'spt-pack', 'lpt-pack'])
  const [mode, setMode] = useState<Mode>(() => beginning.origin?.mode ?? settings.mode ?? 'improved')
  const offered = beginning.strategies.filter(({ name }) => settings.allowedStrategies?.includes(name) ?? true)
  const [now] = useState(() => systemClock.now())
  // What nobody set is sent all the same: the interface for programs has another start.
  const proposal = useMemo(() => nextMorning(settings, now, homeZone()), [settings, now])
  const config = { ...proposal, ...settings }
  const checked = useCheck({ csv, config, mode, strategy: isComparison ? undefined : strategy })
  const { run, isBusy, problem } = useAction()
  const types = useMemo(() => typesOf(checked.verdict?.lots_data), [checked.verdict])
  const obstacle = obstacleOf(csv, checked, isComparison ? many.length : undefined)
  const submit = async (): Promise<void> => {
    const lots = (checked.verdict?.lots_data ?? []).map(({ fill_hours: _hours, ...lot }) => lot)
    const named = {
      ...(name.trim() && { name: name.trim() }),
      ...(description.trim() && !isComparison && { description: description.trim() }),
    }
    const request = { ...named, lots_data: lots, mode, config }
    if (isComparison) go({ page: 'comparison', id: (await api.compare({ ...request, strategies: many })).id })
    else go({ page: 'schedule', id: (await api.plan({ ...request, strategy })).id })
  }
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (!obstacle) run(submit)
  }
  const load = (next: SettingsInput): void => {
    setSettings(withoutPastStart(next, now, homeZone()))
    if (next.strategy) setStrategy(next.strategy)
    if (next.mode) setMode(next.mode)
  }
  const takeCsv = (next: string, fileName?: string): void => {
    setCsv(next)
    if (fileName === undefined) return
    // A name that somebody wrote stays; that of the file before goes.
    if (name === '' || name === ofFile.current) setName(fileName)
    ofFile.current = fileName
  }
  return (
    <form className="plan-form" onSubmit={onSubmit} noValidate>
      <section className="panel stack lots-panel" aria-labelledby="lots-title">
        <h2 id="lots-title">Lots</h2>
        <LotsInput csv={csv} onCsv={takeCsv} />
        <CheckSummary csv={csv} checked={checked} onAgain={checked.again} />
        {csv.trim() !== '' && <LotsTable csv={csv} verdict={checked.verdict} />}
      </section>
      <div className="stack side">
        <section className="panel stack" aria-labelledby="how-title">
          <h2 id="how-title">How to plan</h2>
          <fieldset className="segments wide">
            <legend className="visually-hidden">What to make</legend>
            <label>
              <input type="radio" name="what" checked={!isComparison} onChange={() => onComparison(false)} />
              <span>One schedule</span>
            </label>
            <label>
              <input type="radio" name="what" checked={isComparison} onChange={() => onComparison(true)} />
              <span>Compare strategies</span>
            </label>
          </fieldset>
          <StrategyChoice
            strategies={offered}
            chosen={isComparison ? many : [strategy]}
            isMany={isComparison}
            onChoose={(chosen) => (isComparison ? setMany(chosen) : setStrategy(chosen[0] ?? strategy))}
          />
          <ModeChoice mode={mode} onMode={setMode} />
        </section>
        <section className="panel stack" aria-labelledby="settings-title">
          <h2 id="settings-title">Settings</h2>
          <TemplatePicker
            templates={beginning.templates}
            initial={beginning.origin ? '' : (beginning.templates.find((one) => one.is_default)?.id ?? '')}
            settings={{ ...settings, strategy, mode }}
            onLoad={load}
            onSaved={props.onTemplates}
          />
          {checked.settingProblems.map(({ code, field, message }) => (
            <Notice key={`${code} ${field}`} tone="bad">
              {message}
            </Notice>
          ))}
          <SettingsForm
            desk={{
              settings,
              defaults: { ...beginning.defaults, ...proposal },
              proposedStart: proposal.start,
              problems: checked.settingProblems,
              onSettings: setSettings,
            }}
            types={types}
          />
        </section>
      </div>
      <section className="panel stack finish" aria-label="Name and start">
        <label className="field">
          <span>Name</span>
          <input value={name} maxLength={200} placeholder="Week 48" onChange={(event) => setName(event.target.value)} />
        </label>
        {!isComparison && (
          <label className="field">
            <span>Description</span>
            <input
              value={description}
              maxLength={1000}
              placeholder="Optional"
              onChange={(event) => setDescription(event.target.value)}
            />
          </label>
        )}
        {problem && <Notice tone="bad">{problem}</Notice>}
        <button
          type="submit"
          className="primary wide"
          aria-disabled={obstacle !== undefined || isBusy}
          aria-describedby="obstacle"
        >
          {isBusy ? 'Starting …' : isComparison ? `Compare ${count(many.length)} strategies` : 'Plan the lots'}
        </button>
        <p id="obstacle" className="muted" aria-live="polite">
          {obstacle}
        </p>
      </section>
    </form>
  )
}

function CheckSummary(props: {
  readonly csv: string
  readonly checked: Checked
  readonly onAgain: () => void
}): ReactElement | null {
  const { csv, checked, onAgain } = props
  const { verdict, error, isChecking } = checked
  const shown = useMemo(() => new Set(csvRows(csv).rows.map(({ row }) => row)), [csv])
  if (csv.trim() === '') return null
  if (error)
    return (
      <Notice tone="bad">
        {messageOf(error)} <TryAgain onAgain={onAgain} />
      </Notice>
    )
  if (!verdict)
    return (
      <Notice tone="info">{isChecking ? 'Checking …' : 'The lots are checked once the settings are right.'}</Notice>
    )
  const general = [...verdict.errors, ...verdict.warnings].filter(
    ({ row, field }) => (row === undefined || !shown.has(row)) && field === undefined,
  )
  return (
    <div className="stack" data-checking={isChecking}>
      <Notice tone={verdict.errors.length > 0 ? 'bad' : verdict.warnings.length > 0 ? 'warn' : 'good'}>
        {summaryOf(verdict)}
      </Notice>
      {general.map(({ code, message, severity }) => (
        <Notice key={code + message} tone={severity === 'error' ? 'bad' : 'warn'}>
          {message}
        </Notice>
      ))}
    </div>
  )
}

function summaryOf({ errors, warnings, lots_data: lots }: NonNullable<Checked['verdict']>): string {
  const vials = lots.reduce((sum, lot) => sum + lot.vials, 0)
  const right = `${counted(lots.length, 'lot')}, ${counted(typesOf(lots).length, 'type')}, ${count(vials)} vials`
  const hints = warnings.length > 0 ? ` ${counted(warnings.length, 'warning')}.` : ''
  if (errors.length === 0) return `Ready: ${right}.${hints}`
  return `${counted(errors.length, 'error')} to mend in the file before it can be planned.${hints}`
}

/** Why it cannot be started yet. */
function obstacleOf(
  csv: string,
  { verdict, settingProblems, isChecking, error }: Checked,
  compared: number | undefined,
): string | undefined {
  if (csv.trim() === '') return 'Load lots first.'
  if (settingProblems.length > 0) return 'Mend the settings that are marked.'
  if (error) return 'The lots could not be checked.'
  if (!verdict || isChecking) return 'The lots are being checked.'
  if (!verdict.valid) return 'Mend what is marked, in the file or as text.'
  if (compared !== undefined && compared < COMPARED.min) return `Choose at least ${COMPARED.min} strategies.`
  return undefined
}

function firstSettings({ origin, templates }: Beginning): SettingsInput {
  if (origin) return origin.config
  const settings = templates.find((one) => one.is_default)?.settings ?? {}
  return withoutPastStart(settings, systemClock.now(), homeZone())
}

function typesOf(lots: readonly LotData[] | undefined): readonly string[] {
  return [...new Set(lots?.map(({ lot_type: type }) => type))].toSorted()
}
