import { askFile } from './request.js'

/** Fetches a file with the token and hands it to the browser as a download. Throws a `RequestError`. */
export async function download(path: string, fallbackName: string): Promise<void> {
  const { blob, name } = await askFile(path)
  save(blob, name ?? fallbackName)
}

/** Hands something to the browser as a download. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
