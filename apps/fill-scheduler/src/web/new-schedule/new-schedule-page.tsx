import { type ReactElement, useEffect, useState } from 'react'
import { api } from '../api/api.js'
import type { Schedule, StrategyInfo, SystemDefault, Template } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { csvOf } from '../lots/csv-rows.js'
import { PageHead } from '../shell/page-head.js'
import { Failed, Loading } from '../shell/states.js'
import { PlanForm } from './plan-form.js'

/** What the form of a new plan begins with. */
export interface Beginning {
  readonly strategies: readonly StrategyInfo[]
  readonly defaults: SystemDefault['settings']
  readonly templates: readonly Template[]
  /** The schedule whose lots and settings are taken. */
  readonly origin: Schedule | undefined
}

/** Where lots become a schedule, or a comparison. */
export function NewSchedulePage(props: {
  readonly from: string | undefined
  readonly isComparison: boolean
}): ReactElement {
  const { from } = props
  const { value, error, reload } = useLoaded('beginning', (signal) => beginning(from, signal))
  const [isComparison, setIsComparison] = useState(props.isComparison)
  useEffect(() => setIsComparison(props.isComparison), [props.isComparison])
  return (
    <>
      <PageHead
        title={isComparison ? 'New comparison' : 'New schedule'}
        note={value?.origin && `With the lots and settings of “${value.origin.name}”.`}
      />
      {value ? (
        <PlanForm
          beginning={value}
          isComparison={isComparison}
          onComparison={setIsComparison}
          onTemplates={reload}
          csv={value.origin ? csvOf(value.origin.lots_data) : ''}
        />
      ) : error ? (
        <Failed error={error} onRetry={reload} />
      ) : (
        <Loading what="Loading strategies and templates" />
      )}
    </>
  )
}

async function beginning(from: string | undefined, signal: AbortSignal): Promise<Beginning> {
  const [strategies, system, templates, origin] = await Promise.all([
    api.strategies(signal),
    api.systemDefault(signal),
    api.templates(signal),
    from === undefined ? undefined : api.schedule(from, signal),
  ])
  return { strategies: strategies.items, defaults: system.settings, templates: templates.items, origin }
}
