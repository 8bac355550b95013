import { type ChangeEvent, type ReactElement, useRef, useState } from 'react'
import { api } from '../api/api.js'
import type { Template } from '../api/answers.js'
import { type Loaded, useLoaded } from '../api/use-loaded.js'
import { Link } from '../navigation/link.js'
import { go } from '../navigation/use-place.js'
import { DownloadMenu } from '../schedule/download-menu.js'
import { ACTIONS, Cell, Headings } from '../shell/columns.js'
import { Confirmation } from '../shell/confirmation.js'
import { Notice } from '../shell/notice.js'
import { PageHead } from '../shell/page-head.js'
import { Empty, Failed, Loading } from '../shell/states.js'
import { type Action, useAction } from '../shell/use-action.js'
import { useChanges } from '../shell/changes.js'
import { moment } from '../wording/moments.js'

const COLUMNS = {
  name: { title: 'Name' },
  who: { title: 'Who' },
  changed: { title: 'Changed' },
  actions: ACTIONS,
}

/** Settings with a name: one's own, and those that others share. */
export function TemplatesPage(): ReactElement {
  const loaded = useLoaded('templates', api.templates)
  const [doomed, setDoomed] = useState<Template>()
  const action = useAction()
  useChanges((change) => change?.kind !== 'schedule' && loaded.reload())
  return (
    <>
      <PageHead
        title="Templates"
        note="Settings that you plan with again and again. The default is filled in for every new schedule."
      >
        <ImportButton action={action} />
        <Link to={{ page: 'template', id: 'new' }} className="button primary">
          New template
        </Link>
      </PageHead>
      {action.problem && <Notice tone="bad">{action.problem}</Notice>}
      <section className="panel" aria-label="Templates">
        <List loaded={loaded} action={action} onDelete={setDoomed} />
      </section>
      {doomed && (
        <Confirmation
          title={`Delete “${doomed.name}”?`}
          verb="Delete"
          onClose={() => setDoomed(undefined)}
          onConfirm={() => api.deleteTemplate(doomed.id).then(loaded.reload)}
        >
          <p>Schedules that were planned with it stay as they are.</p>
        </Confirmation>
      )}
    </>
  )
}

function ImportButton({ action }: { readonly action: Action }): ReactElement {
  const file = useRef<HTMLInputElement>(null)
  const take = async (chosen: File): Promise<void> => {
    const format = /\.json$/i.test(chosen.name) ? 'json' : 'yaml'
    const name = chosen.name.replace(/\.[^.]*$/, '')
    const { id } = await api.importTemplate({ text: await chosen.text(), format, name })
    go({ page: 'template', id })
  }
  const onChange = (event: ChangeEvent<HTMLInputElement>): void => {
    const chosen = event.target.files?.[0]
    if (chosen) action.run(() => take(chosen))
    event.target.value = ''
  }
  return (
    <>
      <button type="button" aria-disabled={action.isBusy} onClick={() => file.current?.click()}>
        Import
      </button>
      <input
        ref={file}
        type="file"
        accept=".yaml,.yml,.json"
        className="visually-hidden"
        tabIndex={-1}
        aria-label="Template file"
        onChange={onChange}
      />
    </>
  )
}

interface ListProps {
  readonly loaded: Loaded<{ readonly items: readonly Template[] }>
  readonly action: Action
  readonly onDelete: (template: Template) => void
}

function List({ loaded, action, onDelete }: ListProps): ReactElement {
  const { value, error, reload } = loaded
  if (!value) return error ? <Failed error={error} onRetry={reload} /> : <Loading what="Loading the templates" />
  if (value.items.length === 0)
    return (
      <Empty title="No template yet">
        <p className="muted">Keep the numbers of your line once, and plan with them every week.</p>
        <Link to={{ page: 'template', id: 'new' }} className="button primary">
          New template
        </Link>
      </Empty>
    )
  return (
    <table className="cards">
      <Headings of={COLUMNS} />
      <tbody>
        {value.items.map((template) => (
          <Row key={template.id} template={template} action={action} onDelete={onDelete} reload={reload} />
        ))}
      </tbody>
    </table>
  )
}

function Row(
  props: Omit<ListProps, 'loaded'> & { readonly template: Template; readonly reload: () => void },
): ReactElement {
  const { template, action, onDelete, reload } = props
  const { id, name, description, is_default: isDefault, is_public: isPublic, is_own: isOwn } = template
  const setDefault = (): Promise<void> =>
    (isDefault ? api.unsetDefaultTemplate() : api.setDefaultTemplate(id)).then(reload)
  return (
    <tr>
      <th scope="row">
        <Link to={{ page: 'template', id }}>{name}</Link>
        {isDefault && <span className="tag good">default</span>}
        {description && <small className="muted">{description}</small>}
      </th>
      <Cell of={COLUMNS.who}>{isOwn ? (isPublic ? 'Yours, shared' : 'Yours') : 'Shared by others'}</Cell>
      <Cell of={COLUMNS.changed} className="moment">
        {moment(template.updated_at)}
      </Cell>
      <td className="row-actions">
        {isOwn && (
          <button type="button" className="quiet" aria-disabled={action.isBusy} onClick={() => action.run(setDefault)}>
            {isDefault ? 'No longer default' : 'Make default'}
          </button>
        )}
        <DownloadMenu path={`/config/${id}/export`} name={name} formats={['yaml', 'json']} />
        {isOwn && (
          <button type="button" className="quiet" aria-label={`Delete ${name}`} onClick={() => onDelete(template)}>
            Delete
          </button>
        )}
      </td>
    </tr>
  )
}
