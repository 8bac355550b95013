import { type ReactElement, useState } from 'react'
import { STRATEGY_NAMES, type StrategyName } from '../../planning/strategy-name.js'
import { systemClock } from '../../clock.js'
import { api } from '../api/api.js'
import type { Schedule } from '../api/answers.js'
import { fieldMoment, fieldText } from '../gantt/zone-time.js'
import { useCheck } from '../lots/use-check.js'
import { go } from '../navigation/use-place.js'
import { ModeChoice } from '../settings/strategy-choice.js'
import { Dialog } from '../shell/dialog.js'
import { Notice } from '../shell/notice.js'
import { TryAgain } from '../shell/states.js'
import { useAction } from '../shell/use-action.js'
import { planMoment } from '../wording/moments.js'
import { STRATEGY_TITLES } from '../wording/names.js'
import { counted } from '../wording/numbers.js'

/** Plans what is left of a schedule anew; what had begun by then stays as it is. */
export function ReplanDialog({
  schedule,
  onClose,
}: {
  readonly schedule: Schedule
  readonly onClose: () => void
}): ReactElement {
  const zone = schedule.config.timeZone ?? 'UTC'
  const [from, setFrom] = useState(() => fieldText(likelyMoment(schedule), zone))
  const [strategy, setStrategy] = useState<StrategyName>(schedule.strategy === 'exact' ? 'improver' : schedule.strategy)
  const [mode, setMode] = useState(schedule.mode)
  const [csv, setCsv] = useState('')
  const { verdict, isChecking, error, again } = useCheck({ csv, config: schedule.config, mode, strategy: undefined })
  const { run, isBusy, problem } = useAction()
  const moment = fieldMoment(from, zone)
  const frozen =
    schedule.result?.activities.filter(({ kind, start }) => kind === 'FILL' && Date.parse(start) < (moment ?? 0))
      .length ?? 0
  const isReady = moment !== undefined && (csv.trim() === '' || (verdict?.valid === true && !isChecking))
  const replan = async (): Promise<void> => {
    const further =
      csv.trim() === '' ? {} : { lots_data: (verdict?.lots_data ?? []).map(({ fill_hours: _hours, ...lot }) => lot) }
    const request = { from: new Date(moment ?? 0).toISOString(), strategy, mode, ...further }
    go({ page: 'schedule', id: (await api.replan(schedule.id, request)).id })
  }
  const action = (
    <button type="button" className="primary" aria-disabled={!isReady || isBusy} onClick={() => isReady && run(replan)}>
      {isBusy ? 'Starting …' : 'Re-plan'}
    </button>
  )
  return (
    <Dialog title="Re-plan from a moment" onClose={onClose} action={action}>
      <label className="field">
        <span>From ({zone})</span>
        <input type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
        <small>
          {moment === undefined
            ? 'Choose a day and a time.'
            : `${counted(frozen, 'lot')} will have begun by ${planMoment(moment, zone)}, and ${frozen === 1 ? 'stays as it is' : 'stay as they are'}. The rest is planned anew.`}
        </small>
      </label>
      <label className="field">
        <span>Strategy</span>
        <select value={strategy} onChange={(event) => setStrategy(event.target.value as StrategyName)}>
          {STRATEGY_NAMES.map((name) => (
            <option key={name} value={name}>
              {STRATEGY_TITLES[name]}
            </option>
          ))}
        </select>
      </label>
      <ModeChoice mode={mode} onMode={setMode} />
      <label className="field">
        <span>Further lots (CSV, optional)</span>
        <textarea
          rows={4}
          spellCheck={false}
          value={csv}
          placeholder={'Lot ID,Type,Vials\nN1,VialE,120000'}
          onChange={(event) => setCsv(event.target.value)}
        />
      </label>
      {verdict?.errors.map(({ row, code, message }) => (
        <Notice key={`${row} ${code}`} tone="bad">
          {row === undefined ? '' : `Row ${row}: `}
          {message}
        </Notice>
      ))}
      {error !== undefined && csv.trim() !== '' && (
        <Notice tone="bad">
          The lots could not be checked. <TryAgain onAgain={again} />
        </Notice>
      )}
      {problem && <Notice tone="bad">{problem}</Notice>}
    </Dialog>
  )
}

/** Now, where the plan is under way; else its middle; at a full hour. */
function likelyMoment({ result }: Schedule, now: number = systemClock.now()): number {
  const [first, last] = [result?.activities[0], result?.activities.at(-1)]
  const [start, end] = [Date.parse(first?.start ?? ''), Date.parse(last?.end ?? '')]
  const middle = Number.isNaN(start + end) ? 0 : (start + end) / 2
  return Math.floor((start < now && now < end ? now : middle) / 3_600_000) * 3_600_000
}
