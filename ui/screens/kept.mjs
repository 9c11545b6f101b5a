// The pictures that are kept beside the code, and whether a new one still looks like the one that was kept.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'

const FOLDER = new URL('./kept/', import.meta.url).pathname
/** How far a pixel's colour may be off before it counts; edges of letters do not. */
const THRESHOLD = 0.2
/** The share of pixels that may count: another build of the browser draws letters a little differently. */
const SHARE = 0.003

/** Of every page and state two: one theme, language and size together, and all three the other way. */
export function isKept({ scheme, locale, width }) {
  return scheme === 'light' ? locale === 'en-GB' && width === 1200 : locale === 'fr-FR' && width === 900
}

export function keep(name, picture) {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(`${FOLDER}${name}.png`, picture)
}

/** Nothing if it looks the same; else why not, and where it differs as a picture. */
export function differs(name, picture) {
  const path = `${FOLDER}${name}.png`
  if (!existsSync(path)) return { why: 'no picture of it is kept' }
  const [before, after] = [PNG.sync.read(readFileSync(path)), PNG.sync.read(picture)]
  const { width, height } = before
  if (width !== after.width || height !== after.height) return { why: `it was ${width}x${height}` }
  const where = new PNG({ width, height })
  const count = pixelmatch(before.data, after.data, where.data, width, height, { threshold: THRESHOLD })
  if (count <= SHARE * width * height) return null
  return { why: `${((100 * count) / width / height).toFixed(2)} % of it changed`, where: PNG.sync.write(where) }
}

/** Kept pictures of what is no longer there. */
export function strays(names) {
  if (!existsSync(FOLDER)) return []
  const known = new Set(names.map((name) => `${name}.png`))
  return readdirSync(FOLDER).filter((file) => !known.has(file))
}
