import type { ReactElement } from 'react'

/** How far something is; without a number it says that nobody knows. */
export function RunBar({
  percent,
  label,
  words,
}: {
  readonly percent: number | undefined
  readonly label: string
  readonly words: string
}): ReactElement {
  const value = percent === undefined ? undefined : Math.floor(percent)
  return (
    <div
      className="bar-track"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value}
      aria-valuetext={`${value === undefined ? '' : `${value} %, `}${words}`}
      data-known={percent !== undefined}
    >
      <div className="bar-fill" style={{ width: `${percent ?? 100}%` }} />
    </div>
  )
}
