import type { SettingsInput } from '../../planning/settings.js'
import type { Mode, StrategyName } from '../../planning/strategy-name.js'
import type {
  Account,
  Comparison,
  ComparisonSummary,
  Counts,
  Listed,
  LotData,
  Schedule,
  ScheduleSummary,
  StrategyInfo,
  SystemDefault,
  Template,
  Verdict,
} from './answers.js'
import type { Granted } from '../session/session.js'
import { RequestError, ask } from './request.js'
import { wish } from './wishes.js'

/** What both a schedule and a comparison begin with. */
export interface PlanRequest {
  readonly name?: string
  readonly lots_data: readonly LotData[]
  readonly mode: Mode
  readonly config: SettingsInput
}

/** Which schedules to list. */
export interface ScheduleQuery {
  readonly page: number
  readonly search: string
  readonly status: string
  readonly strategy: string
}

/** Lots to be checked: the text of a file, under what they are to be planned with. */
export interface Check {
  readonly csv: string
  readonly config: SettingsInput
  /** Undefined: whatever strategy, what only it does not support is not told. */
  readonly strategy: StrategyName | undefined
  readonly mode: Mode
}

interface Replan {
  readonly from: string
  readonly lots_data?: readonly LotData[]
  readonly strategy: StrategyName
  readonly mode: Mode
  readonly name?: string
}

/** A template as it is written. */
export interface TemplateDraft {
  readonly name: string
  readonly description?: string
  readonly settings: SettingsInput
  readonly is_public: boolean
}

type Created = Pick<ScheduleSummary, 'id'>
type Credentials = { readonly email: string; readonly password: string }

/** Schedules and comparisons of a page. */
export const PAGE_SIZE = 20

const at = (id: string): string => encodeURIComponent(id)

/** Every call of the REST API that the page makes. All of them throw a `RequestError`. */
export const api = {
  register: (json: Credentials) => ask<Account>('/auth/register', { method: 'POST', json, isOpen: true }),
  login: (json: Credentials) => ask<Granted>('/auth/login', { method: 'POST', json, isOpen: true }),
  redeem: (json: { readonly code: string; readonly by: string }) =>
    ask<Granted>('/auth/code', { method: 'POST', json, isOpen: true }),
  account: (signal?: AbortSignal) => ask<Account>('/auth/me', { signal }),
  logout: () => ask<unknown>('/auth/logout', { method: 'POST', outlivesPage: true }),
  changePassword: (current: string, next: string) =>
    ask<Granted>('/auth/password', { method: 'PUT', json: { current_password: current, new_password: next } }),
  closeAccount: (password: string) => ask<undefined>('/auth/close', { method: 'POST', json: { password } }),

  strategies: (signal?: AbortSignal) => ask<{ items: readonly StrategyInfo[] }>('/strategies', { signal }),
  counts: (signal?: AbortSignal) => ask<Counts>('/schedules/stats', { signal }),
  schedules: (query: ScheduleQuery, signal?: AbortSignal) =>
    ask<Listed<ScheduleSummary>>(`/schedules?${queryText({ ...query, page_size: PAGE_SIZE })}`, { signal }),
  schedule: (id: string, signal?: AbortSignal) => ask<Schedule>(`/schedule/${at(id)}`, { signal }),
  check: checkCsv,
  plan: (json: PlanRequest & { readonly strategy: StrategyName }) => wish<Created>('/schedule', json),
  replan: (id: string, json: Replan) => wish<Created>(`/schedule/${at(id)}/replan`, json),
  cancelSchedule: (id: string) => ask<unknown>(`/schedule/${at(id)}/cancel`, { method: 'POST' }),
  deleteSchedule: (id: string) => remove(`/schedule/${at(id)}`),

  compare: (json: PlanRequest & { readonly strategies: readonly StrategyName[] }) => wish<Created>('/compare', json),
  comparisons: (query: { readonly page: number }, signal?: AbortSignal) =>
    ask<Listed<ComparisonSummary>>(`/comparisons?${queryText({ ...query, page_size: PAGE_SIZE })}`, { signal }),
  comparison: (id: string, signal?: AbortSignal) => ask<Comparison>(`/compare/${at(id)}`, { signal }),
  cancelComparison: (id: string) => ask<unknown>(`/compare/${at(id)}/cancel`, { method: 'POST' }),
  deleteComparison: (id: string) => remove(`/compare/${at(id)}`),

  templates: (signal?: AbortSignal) => ask<Listed<Template>>('/configs?page=1&page_size=100', { signal }),
  template: (id: string, signal?: AbortSignal) => ask<Template>(`/config/${at(id)}`, { signal }),
  systemDefault: (signal?: AbortSignal) => ask<SystemDefault>('/config/system/default', { signal }),
  createTemplate: (json: TemplateDraft) => wish<Template>('/config', json),
  updateTemplate: (id: string, json: TemplateDraft) => ask<Template>(`/config/${at(id)}`, { method: 'PUT', json }),
  deleteTemplate: (id: string) => remove(`/config/${at(id)}`),
  setDefaultTemplate: (id: string) => ask<unknown>(`/config/${at(id)}/set-default`, { method: 'POST' }),
  unsetDefaultTemplate: () => ask<unknown>('/config/default', { method: 'DELETE' }),
  importTemplate: (json: { readonly text: string; readonly format: 'yaml' | 'json'; readonly name: string }) =>
    wish<Template>('/config/import', json),
}

/** What is gone already is deleted: by a first try whose answer was lost, or in another tab. */
async function remove(path: string): Promise<void> {
  try {
    await ask<undefined>(path, { method: 'DELETE' })
  } catch (error) {
    if (!(error instanceof RequestError && error.status === 404)) throw error
  }
}

function checkCsv({ csv, config, strategy, mode }: Check, signal?: AbortSignal): Promise<Verdict> {
  const form = new FormData()
  form.append('csv_file', new Blob([csv], { type: 'text/csv' }), 'lots.csv')
  form.append('config', JSON.stringify(config))
  form.append('mode', mode)
  if (strategy !== undefined) form.append('strategy', strategy)
  return ask<Verdict>('/schedule/validate', { method: 'POST', form, signal })
}

function queryText(members: object): string {
  const entries = Object.entries(members).filter(([, value]) => value !== '')
  return new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()
}
