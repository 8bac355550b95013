import { type ReactElement, type ReactNode, useEffect } from 'react'

/** The title of a page, also of the browser's tab, and what can be done there. */
export function PageHead(props: {
  readonly title: string
  readonly note?: ReactNode
  readonly above?: ReactNode
  readonly children?: ReactNode
}): ReactElement {
  const { title, note, above, children } = props
  useEffect(() => {
    document.title = `${title} · Fill scheduler`
  }, [title])
  return (
    <div className="page-head">
      <div>
        {above && <p className="above">{above}</p>}
        <h1>{title}</h1>
        {note && <div className="muted">{note}</div>}
      </div>
      {children && <div className="actions">{children}</div>}
    </div>
  )
}
