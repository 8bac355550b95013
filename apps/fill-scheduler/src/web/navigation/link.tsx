import type { ReactElement, ReactNode } from 'react'
import { type Place, hrefOf } from './place.js'

/** A link to another place of the page. */
export function Link(props: {
  readonly to: Place
  readonly className?: string
  readonly isCurrent?: boolean
  readonly children: ReactNode
}): ReactElement {
  return (
    <a href={hrefOf(props.to)} className={props.className} aria-current={props.isCurrent ? 'page' : undefined}>
      {props.children}
    </a>
  )
}
