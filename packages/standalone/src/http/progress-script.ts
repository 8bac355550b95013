import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type Assets, toAsset } from './assets.js'

/** Where any page finds the element `<holdfast-progress>`. */
export const PROGRESS_SCRIPT_PATH = '/holdfast/progress.js'

/** The script of the element, to be served; nothing where it was not built. Pages of the allowed origins may load it as a module. */
export async function loadProgressScript(): Promise<Assets> {
  try {
    const file = createRequire(import.meta.url).resolve('@holdfast/client/progress.bundle.js')
    const script = toAsset(PROGRESS_SCRIPT_PATH, 'text/javascript; charset=utf-8', await readFile(file))
    return new Map([[PROGRESS_SCRIPT_PATH, script]])
  } catch {
    return new Map()
  }
}
