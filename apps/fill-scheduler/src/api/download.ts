import { fileName } from '../io/reports/file-name.js'
import type { ReportFile } from '../io/reports/report.js'

/** A file as an answer that is saved and not shown: whatever stands in it runs nowhere. */
export function download({ bytes, contentType, extension }: ReportFile, name: string): Response {
  const file = fileName(name, extension)
  const plain = file.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')
  return new Response(Uint8Array.from(bytes), {
    headers: {
      'content-type': contentType,
      'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encoded(file)}`,
      'cache-control': 'no-store',
    },
  })
}

/** RFC 8187, 3.2.1: more characters are encoded than in addresses. */
function encoded(file: string): string {
  return encodeURIComponent(file).replaceAll(/['()*!]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
}
