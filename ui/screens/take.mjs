// Pictures of every page and state, light and dark, in both languages and at two sizes, and axe's word on each.
// `npm run screens [-- FILTER]`; needs a Chromium (CHROMIUM, or /usr/bin/chromium). Pictures go to ../screens.
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'

const FOLDER = new URL('../../screens/', import.meta.url).pathname
const STATES = ['full', 'empty', 'signed-out', 'syncing', 'needs-you', 'offline', 'error', 'paused', 'new-week', 'many', 'sample', 'preview', 'preview-half', 'decisions', 'decisions-all', 'decisions-told', 'unblocked']
const filter = process.argv[2] ?? ''

const pagesOf = (state) => {
  if (state === 'signed-out' || state.startsWith('preview')) return ['week']
  if (state === 'unblocked') return ['explain']
  return state.startsWith('decisions') ? ['decisions'] : state === 'full' ? ['week', 'explain', 'decisions', 'sync'] : ['week', 'sync']
}
/** The keys that lead there. */
const KEYS = { decisions: 'Control+2', sync: 'Control+3' }

const shots = []
for (const state of STATES) {
  for (const page of pagesOf(state)) {
    for (const scheme of ['light', 'dark']) {
      for (const locale of ['en-GB', 'fr-FR']) {
        for (const [width, height] of [[1200, 800], [900, 600]]) {
          const name = [state, page, scheme, locale.slice(0, 2), `${width}x${height}`].join('-')
          if (name.includes(filter)) shots.push({ name, state, page, scheme, locale, width, height })
        }
      }
    }
  }
}

const server = await createServer({ server: { port: 0 }, logLevel: 'error' })
await server.listen()
const address = `http://127.0.0.1:${server.httpServer.address().port}`
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--force-color-profile=srgb'],
})
let violations = 0
for (const { name, state, page: place, scheme, locale, width, height } of shots) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale,
    timezoneId: 'Asia/Tokyo',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.on('console', (message) => message.type() === 'error' && console.error(`${name}: ${message.text()}`))
  page.on('pageerror', (error) => console.error(`${name}: ${error}`))
  await page.goto(`${address}/?state=${state}`)
  await page.waitForSelector('h1')
  await page.evaluate(() => document.fonts.ready)
  if (KEYS[place]) await page.keyboard.press(KEYS[place])
  if (place === 'explain') await page.click('[data-key*="Dentist"]', { position: { x: 40, y: 34 } })
  await page.waitForTimeout(150)
  await page.screenshot({ path: `${FOLDER}${name}.png` })
  const { violations: found } = await new AxeBuilder({ page }).analyze()
  for (const { id, impact, nodes } of found) {
    violations += 1
    console.error(`${name}: ${impact} ${id}: ${nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`)
  }
  await context.close()
}
await browser.close()
await server.close()
console.log(`${shots.length} pictures in ${FOLDER}, ${violations} accessibility violations`)
process.exit(violations ? 1 : 0)
