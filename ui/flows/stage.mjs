// A browser on the window with invented data, for the tests in this folder. `visit` opens it in a state of `fake.ts`.
import { after } from 'node:test'
import { launch } from '../screens/browser.mjs'
import { pages } from '../screens/pages.mjs'

const { address, close } = await pages()
const browser = await launch()
after(async () => {
  await browser.close()
  await close()
})

/** What a page complains of fails the test that opened it. */
export async function visit(test, state) {
  const context = await browser.newContext({
    viewport: { width: 1200, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Asia/Tokyo',
    reducedMotion: 'reduce',
  })
  test.after(() => context.close())
  await context.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (error) => test.diagnostic(`the page fails: ${error}`))
  // Machines are slow.
  const timeout = 120_000
  await page.goto(`${address}/?state=${state}`, { timeout })
  await page.waitForSelector('h1', { timeout })
  return page
}

/** Waits for a button that is called so. */
export const button = (page, name) => page.getByRole('button', { name, exact: true })

/** Waits for a line of text. */
export const sees = (page, text) => page.getByText(text).first().waitFor()
