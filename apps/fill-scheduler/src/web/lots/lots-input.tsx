import { type ChangeEvent, type DragEvent, type ReactElement, useEffect, useRef, useState } from 'react'
import { Notice } from '../shell/notice.js'
import { EXAMPLE_LOTS } from './example-lots.js'
import { fileText } from './file-text.js'

/** Names of schedules are no longer. */
const NAME_CHARACTERS_MAX = 200

/** The largest file that is read into the page. */
const FILE_BYTES_MAX = 10 * 1024 * 1024

/** Lots by a file that is dropped or chosen, pasted text, or the example. */
export function LotsInput(props: {
  readonly csv: string
  readonly onCsv: (csv: string, name?: string) => void
}): ReactElement {
  const { csv, onCsv } = props
  const [isOver, setIsOver] = useState(false)
  const [problem, setProblem] = useState<string>()
  const file = useRef<HTMLInputElement>(null)
  useEffect(leaveNoPage, [])
  const take = async (chosen: File | undefined): Promise<void> => {
    setIsOver(false)
    if (!chosen) return
    if (chosen.size > FILE_BYTES_MAX)
      return setProblem(`${chosen.name} is larger than 10 MiB. Leave out columns that are not needed.`)
    const read = await fileText(chosen)
    if ('problem' in read) return setProblem(`${chosen.name}: ${read.problem}`)
    setProblem(undefined)
    onCsv(read.text, chosen.name.replace(/\.[^.]*$/, '').slice(0, NAME_CHARACTERS_MAX))
  }
  const onDrop = (event: DragEvent): void => {
    event.preventDefault()
    void take(event.dataTransfer.files[0])
  }
  const onChange = (event: ChangeEvent<HTMLInputElement>): void => {
    void take(event.target.files?.[0])
    // The same file may be chosen again after it was mended.
    event.target.value = ''
  }
  return (
    <div className="stack">
      <div
        className="drop"
        data-over={isOver}
        onDragOver={(event) => (event.preventDefault(), setIsOver(true))}
        onDragLeave={() => setIsOver(false)}
        onDrop={onDrop}
      >
        <p>
          <strong>Drop a CSV file here</strong>
          <span className="muted"> with the columns Lot ID, Type and Vials; Due and Priority if you like.</span>
        </p>
        <div className="button-row">
          <button type="button" onClick={() => file.current?.click()}>
            Choose a file
          </button>
          <button type="button" onClick={() => (setProblem(undefined), onCsv(EXAMPLE_LOTS, 'Example'))}>
            Load the example
          </button>
        </div>
        <input
          ref={file}
          type="file"
          accept=".csv,text/csv,text/plain"
          className="visually-hidden"
          tabIndex={-1}
          aria-label="CSV file with lots"
          onChange={onChange}
        />
      </div>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <details>
        <summary>Paste or edit as text</summary>
        <textarea
          value={csv}
          rows={8}
          spellCheck={false}
          aria-label="Lots as CSV text"
          placeholder={'Lot ID,Type,Vials\nA1,VialE,100000'}
          onChange={(event) => onCsv(event.target.value)}
        />
      </details>
    </div>
  )
}

/** A file that is dropped beside the field would be opened instead of the page, with everything that was written there. */
function leaveNoPage(): () => void {
  const refuse = (event: Event): void => event.preventDefault()
  for (const name of ['dragover', 'drop']) window.addEventListener(name, refuse)
  return () => {
    for (const name of ['dragover', 'drop']) window.removeEventListener(name, refuse)
  }
}
