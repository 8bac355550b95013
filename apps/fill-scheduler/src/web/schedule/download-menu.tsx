import type { ReactElement } from 'react'
import { download } from '../api/download.js'
import { Menu } from '../shell/menu.js'
import { Notice } from '../shell/notice.js'
import { useAction } from '../shell/use-action.js'

const TITLES = {
  xlsx: 'Excel workbook',
  pdf: 'PDF',
  csv: 'CSV',
  html: 'Web page',
  txt: 'Text',
  json: 'JSON',
  yaml: 'YAML',
} as const

/** Something as a file of one format or another. */
export function DownloadMenu(props: {
  readonly path: string
  readonly name: string
  readonly formats: readonly (keyof typeof TITLES)[]
}): ReactElement {
  const { path, name, formats } = props
  const { run, problem, isBusy } = useAction()
  return (
    <div>
      <Menu face={isBusy ? 'Downloading …' : 'Download'} closesOnClick>
        {formats.map((format) => (
          <button
            key={format}
            type="button"
            data-format={format}
            onClick={() => run(() => download(`${path}?format=${format}`, `${name}.${format}`))}
          >
            {TITLES[format]}
          </button>
        ))}
      </Menu>
      {problem && <Notice tone="bad">{problem}</Notice>}
    </div>
  )
}
