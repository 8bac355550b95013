import { type ReactElement, useEffect } from 'react'

/** Goes from page to page; nothing where there is only one. */
export function Pager(props: {
  readonly page: number
  readonly pages: number
  readonly onPage: (page: number) => void
}): ReactElement | null {
  const { page, pages, onPage } = props
  useEffect(() => {
    // What stood on the last page was deleted.
    if (page > Math.max(1, pages)) onPage(Math.max(1, pages))
  }, [page, pages])
  if (pages <= 1) return null
  return (
    <nav className="pager" aria-label="Pages">
      <button type="button" aria-disabled={page <= 1} onClick={() => page > 1 && onPage(page - 1)}>
        Newer
      </button>
      <span>
        Page {page} of {pages}
      </span>
      <button type="button" aria-disabled={page >= pages} onClick={() => page < pages && onPage(page + 1)}>
        Older
      </button>
    </nav>
  )
}
