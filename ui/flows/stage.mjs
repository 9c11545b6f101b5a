// A browser on the window with invented data, for the tests in this folder. `visit` opens it in a state of `fake.ts`.
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { after } from 'node:test'

const server = await createServer({ server: { port: 0 }, logLevel: 'error' })
await server.listen()
const address = `http://127.0.0.1:${server.httpServer.address().port}`
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
after(async () => {
  await browser.close()
  await server.close()
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
  // The first page waits for everything to be built, and machines are slow.
  const timeout = 120_000
  await page.goto(`${address}/?state=${state}`, { timeout })
  await page.waitForSelector('h1', { timeout })
  return page
}

/** Waits for a button that is called so. */
export const button = (page, name) => page.getByRole('button', { name, exact: true })

/** Waits for a line of text. */
export const sees = (page, text) => page.getByText(text).first().waitFor()
