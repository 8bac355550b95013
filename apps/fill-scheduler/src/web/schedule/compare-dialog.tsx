import { type ReactElement, useState } from 'react'
import type { StrategyName } from '../../planning/strategy-name.js'
import { api } from '../api/api.js'
import type { Schedule } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { go } from '../navigation/use-place.js'
import { COMPARED, ModeChoice, StrategyChoice } from '../settings/strategy-choice.js'
import { Dialog } from '../shell/dialog.js'
import { Notice } from '../shell/notice.js'
import { Failed, Loading } from '../shell/states.js'
import { useAction } from '../shell/use-action.js'

/** Compares other strategies on the lots and settings of a schedule. */
export function CompareDialog({
  schedule,
  onClose,
}: {
  readonly schedule: Schedule
  readonly onClose: () => void
}): ReactElement {
  const { value, error, reload } = useLoaded('strategies', api.strategies)
  const [chosen, setChosen] = useState<readonly StrategyName[]>([schedule.strategy])
  const [mode, setMode] = useState(schedule.mode)
  const { run, isBusy, problem } = useAction()
  const isEnough = chosen.length >= COMPARED.min
  const compare = async (): Promise<void> => {
    const { name, lots_data: lots, config } = schedule
    const request = {
      name: `${name}, compared`.slice(0, 200),
      lots_data: lots.map(({ fill_hours: _hours, ...lot }) => lot),
      config,
      mode,
      strategies: chosen,
    }
    go({ page: 'comparison', id: (await api.compare(request)).id })
  }
  const action = (
    <button
      type="button"
      className="primary"
      aria-disabled={!isEnough || isBusy}
      onClick={() => isEnough && run(compare)}
    >
      {isEnough ? `Compare ${chosen.length} strategies` : `Choose at least ${COMPARED.min}`}
    </button>
  )
  return (
    <Dialog title="Compare strategies" onClose={onClose} action={action}>
      <p className="muted">On the same lots and settings, beside the order that the lots were given in.</p>
      {value ? (
        <StrategyChoice strategies={value.items} chosen={chosen} isMany onChoose={setChosen} />
      ) : error ? (
        <Failed error={error} onRetry={reload} />
      ) : (
        <Loading what="Loading the strategies" />
      )}
      <ModeChoice mode={mode} onMode={setMode} />
      {problem && <Notice tone="bad">{problem}</Notice>}
    </Dialog>
  )
}
