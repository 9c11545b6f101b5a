// The pictures that are kept beside the code, and whether a new one still looks like the one that was kept.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import pixelmatch from 'pixelmatch'
import { PNG } from 'pngjs'

const FOLDER = new URL('./kept/', import.meta.url).pathname
/** How far a pixel's colour may be off before it counts; edges of letters do not. */
const THRESHOLD = 0.2
/** The share of pixels that may count: another build of the browser draws letters a little differently, half of this much. */
const SHARE = 0.006
/** And in any square of so many pixels, how many: such differences are spread thin, a button that is gone is not. */
const SQUARE = 32
const CROWD = 80

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
  const why = changed(before, after)
  if (!why) return null
  const where = new PNG({ width, height })
  pixelmatch(before.data, after.data, where.data, width, height, { threshold: THRESHOLD })
  return { why, where: PNG.sync.write(where) }
}

/** What differs between two pictures of one size, if it is more than another browser's hand. */
export function changed(before, after) {
  const { width, height } = before
  const { data } = new PNG({ width, height })
  const count = pixelmatch(before.data, after.data, data, width, height, { threshold: THRESHOLD, diffMask: true })
  if (count > SHARE * width * height) return `${((100 * count) / width / height).toFixed(2)} % of it changed`
  // Squares overlap by half, so that nothing hides on their edges.
  const step = SQUARE / 2
  const columns = Math.ceil(width / step)
  const cells = new Uint32Array(columns * Math.ceil(height / step))
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] === 0) continue
    const pixel = at >> 2
    cells[Math.floor(pixel / width / step) * columns + Math.floor((pixel % width) / step)] += 1
  }
  const cell = (x, y) => (x < columns ? (cells[y * columns + x] ?? 0) : 0)
  let [most, x, y] = [0, 0, 0]
  for (let index = 0; index < cells.length; index += 1) {
    const [left, top] = [index % columns, Math.floor(index / columns)]
    const crowd = cell(left, top) + cell(left + 1, top) + cell(left, top + 1) + cell(left + 1, top + 1)
    if (crowd > most) [most, x, y] = [crowd, left * step, top * step]
  }
  return most > CROWD ? `${most} pixels changed around ${x}, ${y}` : null
}

/** Kept pictures of what is no longer there. */
export function strays(names) {
  if (!existsSync(FOLDER)) return []
  const known = new Set(names.map((name) => `${name}.png`))
  return readdirSync(FOLDER).filter((file) => !known.has(file))
}
