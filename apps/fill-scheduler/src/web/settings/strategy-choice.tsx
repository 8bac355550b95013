import type { ReactElement } from 'react'
import type { Mode, StrategyName } from '../../planning/strategy-name.js'
import type { StrategyInfo } from '../api/answers.js'
import { STRATEGY_TITLES } from '../wording/names.js'

/** How many strategies may be compared. */
export const COMPARED = { min: 2, max: 6 } as const

/** Strategies to choose from: one, or some of them. */
export function StrategyChoice(props: {
  readonly strategies: readonly StrategyInfo[]
  readonly chosen: readonly StrategyName[]
  readonly isMany: boolean
  readonly onChoose: (chosen: readonly StrategyName[]) => void
}): ReactElement {
  const { strategies, chosen, isMany, onChoose } = props
  const toggle = (name: StrategyName): void => {
    if (!isMany) onChoose([name])
    else if (chosen.includes(name)) onChoose(chosen.filter((one) => one !== name))
    else if (chosen.length < COMPARED.max) onChoose([...chosen, name])
  }
  return (
    <fieldset className="choices">
      <legend>{isMany ? `Strategies, ${COMPARED.min} to ${COMPARED.max}` : 'Strategy'}</legend>
      {strategies.map(({ name, description }) => (
        <label key={name} className="choice">
          <input
            type={isMany ? 'checkbox' : 'radio'}
            name="strategy"
            value={name}
            checked={chosen.includes(name)}
            onChange={() => toggle(name)}
          />
          <span>
            <strong>{STRATEGY_TITLES[name] ?? name}</strong>
            <small>{description}</small>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

/** Whether decisions are those of the reference formulas, or better ones. */
export function ModeChoice({
  mode,
  onMode,
}: {
  readonly mode: Mode
  readonly onMode: (mode: Mode) => void
}): ReactElement {
  return (
    <fieldset className="segments">
      <legend>Mode</legend>
      {(['improved', 'classic'] as const).map((name) => (
        <label key={name}>
          <input type="radio" name="mode" checked={mode === name} onChange={() => onMode(name)} />
          <span>{name}</span>
        </label>
      ))}
      <small className="muted">
        {mode === 'improved'
          ? 'Never worse than classic.'
          : 'The reference formulas to the letter; one line, no calendar.'}
      </small>
    </fieldset>
  )
}
