// Pictures of every page and state, light and dark, in both languages, at three sizes and two scales, and axe's word on each.
// `npm run screens [-- FILTER]`; needs a Chromium (see browser.mjs). Pictures go to ../screens, with a
// page to look them through. `--kept` takes only those of which one is kept, and asks axe of the other theme's colours
// too; `--keep` keeps what it takes of those.
import { writeFileSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { launch } from './browser.mjs'
import { differs, isKept, keep, strays } from './kept.mjs'
import { pages } from './pages.mjs'
import { sheet } from './sheet.mjs'

const FOLDER = new URL('../../screens/', import.meta.url).pathname
const STATES = ['full', 'empty', 'signed-out', 'syncing', 'long', 'long-leaving', 'needs-you', 'offline', 'error', 'paused', 'new-week', 'many', 'sample', 'preview', 'preview-half', 'decisions', 'decisions-all', 'decisions-told', 'quiet', 'ailing', 'waiting', 'waiting-there', 'no-nextcloud', 'partly', 'too-little', 'administrator', 'timed-out', 'unblocked', 'files', 'files-empty', 'files-over', 'files-offer', 'files-many', 'files-salon', 'files-refused', 'files-odd', 'files-unseen', 'no-calendar', 'no-tray', 'newer', 'salon', 'salon-new', 'signed-off', 'unplugged', 'sample-bare', 'files-signed-out', 'files-preview']
const words = process.argv.slice(2)
const filter = words.find((word) => !word.startsWith('--')) ?? ''
const [onlyKept, keeping] = ['--kept', '--keep'].map((word) => words.includes(word))

const pagesOf = (state) => {
  if (['waiting', 'waiting-there', 'no-nextcloud', 'partly', 'too-little', 'administrator', 'timed-out'].includes(state)) return ['connections']
  if (state === 'no-calendar') return ['sync']
  if (state === 'sample-bare' || state === 'long-leaving') return ['connections']
  if (state === 'files-signed-out' || state === 'files-preview') return ['week']
  if (state === 'no-tray') return ['week', 'settings-quit']
  if (state === 'newer') return ['week', 'settings-version']
  if (state === 'quiet') return ['settings', 'settings-more']
  if (state === 'ailing') return ['privacy-refused', 'settings-check', 'settings-erase']
  if (state === 'signed-out' || state.startsWith('preview')) return ['week']
  if (state === 'unblocked') return ['explain']
  if (state === 'salon') return ['week', 'week-seats']
  if (state === 'salon-new') return ['week']
  if (state === 'files') return ['files', 'files-export']
  if (state === 'files-offer') return ['files', 'files-chosen', 'files-done']
  if (state.startsWith('files')) return ['files']
  return state.startsWith('decisions') ? ['decisions'] : state === 'full' ? ['week', 'explain', 'block', 'block-done', 'block-wrong', 'decisions', 'sync', 'connections', 'privacy', 'settings'] : state === 'empty' ? ['week', 'sync', 'connections', 'connections-google', 'connections-icloud', 'connections-caldav', 'connections-link', 'privacy', 'settings'] : ['week', 'sync']
}
/** The keys that lead there. */
const KEYS = { decisions: 'Control+2', sync: 'Control+3', files: 'Control+4', connections: 'Control+5', privacy: 'Control+6', settings: 'Control+7' }
/** What is pressed there, after the dash. */
const PRESSED = {
  'files-export': ['header button'],
  'files-chosen': ['.all label:nth-child(3)'],
  'files-done': ['footer .primary'],
  'connections-google': ['main li:nth-child(1) button'],
  'connections-icloud': ['main li:nth-child(3) button'],
  'connections-caldav': ['main li:nth-child(4) button'],
  'connections-link': ['main li:nth-child(5) button'],
  'privacy-refused': ['.messages li:nth-child(3) button'],
  'week-seats': ['.seats .opener'],
  'settings-more': ['.row:has(#version) button'],
  block: ['header .block'],
  'block-done': ['header .block', 'aside .wide'],
  'settings-check': ['.row:has(#diagnosis) button'],
  'settings-erase': ['.row:has(#erase) button', '.asked .danger'],
}

/** Of the window, and how many pixels of the screen make one of it. */
const SIZES = [[1200, 800, 1], [900, 600, 1], [1600, 1000, 2]]

const shots = []
for (const state of STATES) {
  for (const page of pagesOf(state)) {
    for (const scheme of ['light', 'dark']) {
      for (const locale of ['en-GB', 'fr-FR']) {
        for (const [width, height, scale] of SIZES) {
          const size = `${width}x${height}${scale > 1 ? `@${scale}` : ''}`
          const name = [state, page, scheme, locale.slice(0, 2), size].join('-')
          const shot = { name, state, page, scheme, locale, width, height, scale }
          if (name.includes(filter) && (!onlyKept || isKept(shot))) shots.push(shot)
        }
      }
    }
  }
}

const { address, close } = await pages()
const browser = await launch()
let violations = 0
const changed = new Map()
async function judge(axe, name) {
  const { violations: found } = await axe.analyze()
  for (const { id, impact, nodes } of found) {
    violations += 1
    console.error(`${name}: ${impact} ${id}: ${nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`)
  }
}

async function take(shot) {
  const { name, state, page: place, scheme, locale, width, height, scale } = shot
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: scheme,
    locale,
    timezoneId: 'Asia/Tokyo',
    reducedMotion: 'reduce',
  })
  await context.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
  const page = await context.newPage()
  // Machines are slow.
  page.setDefaultTimeout(120_000)
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`))
  page.on('pageerror', (error) => console.error(`${name}: ${error}`))
  await page.goto(`${address}/?state=${state}`)
  await page.waitForSelector('h1')
  await page.evaluate(() => document.fonts.ready)
  const key = KEYS[place.split('-')[0]]
  if (key) await page.keyboard.press(key)
  if (place === 'block-wrong') {
    await page.click('header .block')
    await page.fill('aside fieldset:nth-of-type(2) input', '2026-11-16')
    await page.click('aside .wide')
  }
  for (const pressed of PRESSED[place] ?? []) await page.click(pressed)
  if (place === 'settings-quit' || place === 'settings-version') await page.locator(`#${place.slice(9)}`).scrollIntoViewIfNeeded()
  if (state === 'no-calendar') await page.locator('.connection.bad').scrollIntoViewIfNeeded()
  if (place === 'explain') await page.click('[data-key*="Dentist"]', { position: { x: 40, y: 34 } })
  await page.waitForTimeout(150)
  const picture = await page.screenshot({ path: `${FOLDER}${name}.png` })
  if (isKept(shot) && keeping) keep(name, picture)
  const why = isKept(shot) && differs(name, picture)
  if (why) {
    changed.set(name, why)
    console.error(`${name}: ${why.why}`)
    if (why.where) writeFileSync(`${FOLDER}${name}-changed.png`, why.where)
  }
  await judge(new AxeBuilder({ page }), name)
  if (onlyKept) {
    // The other theme has the same page in other colours, and no picture of its own here.
    const other = scheme === 'light' ? 'dark' : 'light'
    await page.emulateMedia({ colorScheme: other })
    await judge(new AxeBuilder({ page }).withRules(['color-contrast']), name.replace(`-${scheme}-`, `-${other}-`))
  }
  await context.close()
}

const left = shots.values()
const atOnce = Array.from({ length: 3 }, async () => {
  for (const shot of left) await take(shot)
})
await Promise.all(atOnce)
await browser.close()
await close()
const gone = filter ? [] : strays(shots.filter(isKept).map(({ name }) => name))
for (const file of gone) console.error(`screens/kept/${file}: no page or state has that name any more`)
writeFileSync(`${FOLDER}index.html`, sheet(shots, changed))
console.log(`${shots.length} pictures, ${violations} accessibility violations, ${changed.size} that changed: ${FOLDER}index.html`)
process.exit(violations + changed.size + gone.length ? 1 : 0)
