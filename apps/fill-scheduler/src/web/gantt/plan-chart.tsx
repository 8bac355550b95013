import { type ReactElement, useMemo, useState } from 'react'
import type { DueDates } from './activity-words.js'
import type { ChartData } from './chart-data.js'
import { Gantt } from './gantt.js'
import { Legend } from './legend.js'
import { type View, wholeOf } from './view.js'
import { ZoomControls } from './zoom-controls.js'

/** A plan and what it is called. */
export interface NamedPlan {
  readonly label: string
  /** Stands above its chart. */
  readonly title?: string
  readonly data: ChartData
}

/** One or more plans under each other, on one scale: what is zoomed or moved in one is in all. */
export function PlanChart(props: {
  readonly plans: readonly NamedPlan[]
  readonly zone: string
  readonly windowHours: number
  readonly dueDates?: DueDates
}): ReactElement | null {
  const { plans, zone, windowHours, dueDates } = props
  const whole = useMemo(() => wholeOf(Math.max(0, ...plans.map(({ data }) => data.endHours))), [plans])
  const [chosen, setChosen] = useState<View>()
  const view = chosen && chosen.toHours <= whole.toHours + 1e-6 ? chosen : whole
  const first = plans[0]
  if (!first) return null
  return (
    <div className="plan-chart">
      <ZoomControls view={view} whole={whole} onView={setChosen} startMs={first.data.startMs} zone={zone} />
      <Legend plans={plans.map(({ data }) => data)} />
      {plans.map(({ label, title, data }) => (
        <div key={label} className="plan">
          {title && <h3>{title}</h3>}
          <Gantt
            label={label}
            data={data}
            zone={zone}
            windowHours={windowHours}
            whole={whole}
            view={view}
            onView={setChosen}
            hasHint={plans.length === 1}
            {...(dueDates && { dueDates })}
          />
        </div>
      ))}
    </div>
  )
}
