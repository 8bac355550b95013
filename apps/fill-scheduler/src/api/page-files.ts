import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
}
const YEAR_S = 31_536_000
const FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url))

/** Addresses of the page that are no files: it looks at them itself. */
const PLACES = /^\/(?:(?:schedules|comparisons|templates)(?:\/[^/]*)*)?$/

interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>
  readonly contentType: string
  readonly etag: string
  readonly cacheControl: string
}

/** The files of the built page, in memory: a request never reaches the file system. */
export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>

  /** Use `loadPage`. */
  constructor(files: ReadonlyMap<string, PageFile>) {
    this.#files = files
  }

  /** Whether the page was built. */
  get isThere(): boolean {
    return this.#files.has('/index.html')
  }

  /** The answer to a request for the page; undefined where it is for something else. */
  answer(request: Request): Response | undefined {
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
    const { pathname, host } = new URL(request.url)
    const path = PLACES.test(pathname) ? '/index.html' : pathname
    const file = this.#files.get(path)
    if (file === undefined) return undefined
    const { body, contentType, etag, cacheControl } = file
    const headers = { etag, 'cache-control': cacheControl, 'content-security-policy': pagePolicy(host) }
    if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers })
    return new Response(body, { headers: { ...headers, 'content-type': contentType } })
  }
}

/** Reads the built page. Files of unknown kinds are left out; without a build there are none. */
export async function loadPage(folder: string = FOLDER): Promise<PageFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = new Map<string, PageFile>()
  for (const entry of entries) {
    const contentType = CONTENT_TYPES[extname(entry.name)]
    if (!entry.isFile() || contentType === undefined) continue
    const file = join(entry.parentPath, entry.name)
    const path = `/${relative(folder, file).split(sep).join('/')}`
    files.set(path, pageFile(path, contentType, await readFile(file)))
  }
  return new PageFiles(files)
}

/** Names that carry a digest never change their content; everything else is asked for again each time. */
function pageFile(path: string, contentType: string, content: Buffer): PageFile {
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
  const cacheControl = path.startsWith('/assets/') ? `public, max-age=${YEAR_S}, immutable` : 'no-cache'
  return { body: Uint8Array.from(content), contentType, etag, cacheControl }
}

/** Its own scripts, styles and sockets; nothing inline, nothing from elsewhere. */
function pagePolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "manifest-src 'self'",
    `connect-src 'self' ws://${host} wss://${host}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
