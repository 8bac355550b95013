import type { ReactElement, ReactNode } from 'react'

/** A column of a table that becomes cards on a narrow screen: what its heading says is then said beside each cell. */
export interface Column {
  readonly title: string
  readonly isNumber?: boolean
  /** The heading is for those alone who have the table read to them. */
  readonly isUnseen?: boolean
}

/** The buttons at the end of a row. */
export const ACTIONS: Column = { title: 'Actions', isUnseen: true }

/** The head of a table, of its columns in their order. */
export function Headings({ of }: { readonly of: Readonly<Record<string, Column>> }): ReactElement {
  return (
    <thead>
      <tr>
        {Object.values(of).map(({ title, isNumber, isUnseen }) => (
          <th key={title} scope="col" className={isNumber ? 'number' : undefined}>
            {isUnseen ? <span className="visually-hidden">{title}</span> : title}
          </th>
        ))}
      </tr>
    </thead>
  )
}

/** A cell of a column. `isNone`: there is no value, and a card leaves it out. */
export function Cell(props: {
  readonly of: Column
  readonly className?: string
  readonly isNone?: boolean
  readonly children: ReactNode
}): ReactElement {
  const { of, className = of.isNumber ? 'number' : undefined, isNone, children } = props
  return (
    <td data-label={of.title} className={className} data-none={isNone}>
      {children}
    </td>
  )
}
