import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { expect, it } from 'vitest'

const KIB = 1024

/** The client and all that it needs, as an application's build would make it. */
async function bundle(): Promise<string> {
  const built = await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@holdfast/source', 'browser', 'import', 'default'] },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL('index.ts', import.meta.url)),
        preserveEntrySignatures: 'strict',
        output: { format: 'es' },
      },
    },
  })
  const { output } = (Array.isArray(built) ? built[0] : built) as Rolldown.RolldownOutput
  return output.map((part) => (part.type === 'chunk' ? part.code : '')).join('')
}

it('weighs less than 12 KiB minified and compressed, everything it exports included', async () => {
  const code = await bundle()
  const [gzip, brotli] = [gzipSync(code, { level: 9 }).length, brotliCompressSync(code).length]
  console.log(`@holdfast/client: ${code.length} bytes minified, ${gzip} with gzip, ${brotli} with brotli`)
  expect(code).toContain('holdfast.v1+json')
  expect(gzip).toBeLessThan(12 * KIB)
})
