import { expect, it } from 'vitest'
import { PROGRESS_SCRIPT_PATH, loadProgressScript } from './progress-script.js'
import { createSite } from './site.js'

const address = '127.0.0.1'

it('serves the element as one module that needs no other, and asks for it again only when it is another', async () => {
  const site = createSite({ routes: new Map(), assets: await loadProgressScript() })
  const ask = (headers = {}): Promise<Response> =>
    Promise.resolve(site({ request: new Request(`http://localhost${PROGRESS_SCRIPT_PATH}`, { headers }), address }))
  const answer = await ask()
  expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-cache')
  const script = await answer.text()
  expect(script).toContain('holdfast-progress')
  expect(/(?:^|;)import\b.{0,40}/.exec(script)).toBeNull()
  expect((await ask({ 'if-none-match': answer.headers.get('etag') })).status).toBe(304)
})
