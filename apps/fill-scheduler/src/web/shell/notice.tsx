import type { ReactElement, ReactNode } from 'react'

/** Something that somebody has to read. What is bad is said at once by those that read aloud. */
export function Notice(props: {
  readonly tone: 'info' | 'good' | 'warn' | 'bad'
  readonly children: ReactNode
}): ReactElement {
  return (
    <div className={`notice ${props.tone}`} role={props.tone === 'bad' ? 'alert' : 'status'}>
      {props.children}
    </div>
  )
}
