import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../configuration.js'
import type { ServerAccess } from '../server-access.js'
import { type Hinted, watchHint } from './watch-hint.js'

const access: ServerAccess = {
  url: 'ws://127.0.0.1:8000/ws',
  origin: 'http://127.0.0.1:8000',
  tenant: 'demo',
  user: 'cli',
  whom: 'user cli of tenant demo',
  ownToken: true,
  credential: () => '',
  configuration: await loadConfiguration({ env: {}, file: undefined }),
}
const ours: Hinted = { id: 'tar-1', tenant: 'demo', owner: 'cli' }

describe('how others watch a run', () => {
  it('is the command, and the page of the demo', () => {
    expect(watchHint(ours, {}, access)).toBe('npx holdfast watch tar-1, or at http://127.0.0.1:8000/?operation=tar-1')
  })

  it('names whom it belongs to, who alone may watch', () => {
    expect(watchHint({ ...ours, owner: 'grace h' }, {}, access)).toBe(
      "npx holdfast watch tar-1 --user 'grace h', or at http://127.0.0.1:8000/?operation=tar-1&user=grace%20h",
    )
    const theirs = { ...ours, tenant: 'acme', owner: 'ada' }
    expect(watchHint(theirs, {}, access)).toBe('npx holdfast watch tar-1 --tenant acme --user ada')
  })

  it('is no page of a key, nor of a server elsewhere', () => {
    const url = 'https://example.com'
    const byKey = { ...access, ownToken: false }
    expect(watchHint({ ...ours, owner: 'key:3a13' }, {}, byKey)).toBe('npx holdfast watch tar-1')
    expect(watchHint(ours, { url }, { ...access, origin: url })).toBe(`npx holdfast watch tar-1 --url ${url}`)
  })
})
