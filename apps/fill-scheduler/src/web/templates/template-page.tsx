import { type ReactElement, type SubmitEvent, useState } from 'react'
import type { SettingsInput } from '../../planning/settings.js'
import { api } from '../api/api.js'
import type { SystemDefault, Template } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { Link } from '../navigation/link.js'
import { go } from '../navigation/use-place.js'
import { SettingsForm } from '../settings/settings-form.js'
import { Notice } from '../shell/notice.js'
import { PageHead } from '../shell/page-head.js'
import { Failed, Loading } from '../shell/states.js'
import { useAction } from '../shell/use-action.js'
import { RequestError } from '../api/request.js'

interface Content {
  readonly template: Template | undefined
  readonly defaults: SystemDefault['settings']
}

/** One template, or a new one. */
export function TemplatePage({ id }: { readonly id: string }): ReactElement {
  const { value, error, reload } = useLoaded(id, (signal) => contentOf(id, signal))
  const title = value?.template?.name ?? (id === 'new' ? 'New template' : 'Template')
  return (
    <>
      <PageHead title={title} above={<Link to={{ page: 'templates' }}>Templates</Link>} />
      {value ? (
        <Form content={value} />
      ) : error ? (
        <Failed error={error} onRetry={reload} />
      ) : (
        <Loading what="Loading the template" />
      )}
    </>
  )
}

async function contentOf(id: string, signal: AbortSignal): Promise<Content> {
  const [system, template] = await Promise.all([
    api.systemDefault(signal),
    id === 'new' ? undefined : api.template(id, signal),
  ])
  return { template, defaults: system.settings }
}

function Form({ content }: { readonly content: Content }): ReactElement {
  const { template, defaults } = content
  const [name, setName] = useState(template?.name ?? '')
  const [description, setDescription] = useState(template?.description ?? '')
  const [isPublic, setIsPublic] = useState(template?.is_public ?? false)
  const [settings, setSettings] = useState<SettingsInput>(template?.settings ?? {})
  const [problems, setProblems] = useState<RequestError['problems']>([])
  const { run, isBusy, problem } = useAction()
  const isOwn = template?.is_own ?? true
  const save = async (): Promise<void> => {
    const draft = {
      name: name.trim(),
      settings,
      is_public: isPublic,
      ...(description.trim() && { description: description.trim() }),
    }
    setProblems([])
    try {
      await (template && isOwn ? api.updateTemplate(template.id, draft) : api.createTemplate(draft))
      go({ page: 'templates' })
    } catch (error) {
      if (error instanceof RequestError) setProblems(error.problems)
      throw error
    }
  }
  const onSubmit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (name.trim() !== '') run(save)
  }
  return (
    <form className="template-form panel stack" onSubmit={onSubmit} noValidate>
      {!isOwn && <Notice tone="info">Shared by somebody else. What you save is a copy of your own.</Notice>}
      <div className="fields broad">
        <label className="field">
          <span>Name</span>
          <input value={name} required maxLength={200} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="field">
          <span>Description</span>
          <input value={description} maxLength={1000} onChange={(event) => setDescription(event.target.value)} />
        </label>
      </div>
      <label className="check">
        <input type="checkbox" checked={isPublic} onChange={(event) => setIsPublic(event.target.checked)} />
        Share it: everybody here may use it, only you change it
      </label>
      <SettingsForm desk={{ settings, defaults, problems, onSettings: setSettings }} types={[]} />
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div className="actions end">
        <Link to={{ page: 'templates' }} className="button">
          Back
        </Link>
        <button type="submit" className="primary" aria-disabled={name.trim() === '' || isBusy}>
          {isOwn ? 'Save' : 'Save a copy'}
        </button>
      </div>
    </form>
  )
}
