import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}
const YEAR_S = 31_536_000

/** A file of a page, in memory. */
export interface Asset {
  readonly body: Uint8Array<ArrayBuffer>
  readonly contentType: string
  readonly etag: string
  /** Names that carry a digest never change their content; the page itself is asked for again each time. */
  readonly cacheControl: string
}

/** The files of a built page by the exact path they are served at; a request never reaches the file system. */
export type Assets = ReadonlyMap<string, Asset>

/**
 * Reads a built page. `index.html` is served at `/`; files of unknown kinds are left out. Undefined when the page was
 * not built.
 */
export async function loadAssets(directory: string): Promise<Assets | undefined> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const assets = new Map<string, Asset>()
  for (const entry of entries) {
    const contentType = CONTENT_TYPES[extname(entry.name)]
    if (!entry.isFile() || contentType === undefined) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(directory, file).split(sep).join('/')}`
    assets.set(path === '/index.html' ? '/' : path, toAsset(path, contentType, await readFile(file)))
  }
  return assets.has('/') ? assets : undefined
}

/** A file as it is served at a path. */
export function toAsset(path: string, contentType: string, content: Buffer): Asset {
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
  const cacheControl = path.startsWith('/assets/') ? `public, max-age=${YEAR_S}, immutable` : 'no-cache'
  return { body: Uint8Array.from(content), contentType, etag, cacheControl }
}
