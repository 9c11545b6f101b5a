// What the window tells when it is asked.
import assert from 'node:assert/strict'
import test from 'node:test'
import { button, sees, visit } from './stage.mjs'

test('a run opens to what it did, why, and how it ended, and to be taken back says what would be', async (t) => {
  const page = await visit(t, 'full')
  await page.keyboard.press('Control+3')
  await page.locator('aside summary').first().click()
  await sees(page, 'Event added · Haircut, Léa Bouchard')
  await sees(page, 'The booking is new.')
  await sees(page, 'A service cannot be reached.')
})

test('a sync that takes long tells how far it is and is stopped by the button that began it', async (t) => {
  const page = await visit(t, 'long')
  await page.keyboard.press('Control+3')
  await sees(page, '41 of 120 events written')
  await button(page, 'Stop').focus()
  await page.keyboard.press('Enter')
  await sees(page, 'Stopped by you')
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), 'Sync Now', 'the focus stays')
})

test('what else takes long tells how far it is on every page, and is stopped there', async (t) => {
  const page = await visit(t, 'long-leaving')
  for (const place of ['Control+1', 'Control+5']) {
    await page.keyboard.press(place)
    await sees(page, 'Ask for it again, and it goes on from there.')
  }
  assert.equal(await page.locator('.notice').first().getAttribute('aria-live'), 'off', 'a count is not read out each second')
  await button(page.locator('.notice').first(), 'Stop').focus()
  await page.keyboard.press('Enter')
  await page.locator('.notice').waitFor({ state: 'detached' })
  assert.ok(await page.evaluate(() => document.activeElement?.matches('.main')), 'the focus is where it was, without the button')
})

test('the panel tells the rule by which a time is closed and when it was checked', async (t) => {
  const page = await visit(t, 'full')
  await page.click('[data-key*="Mamie’s birthday"]')
  await sees(page, 'All-day events close the whole day')
  await button(page, 'Close').first().click()
  await page.click('[data-key*="Dentist"]', { position: { x: 40, y: 34 } })
  await sees(page, 'Busy events close slots')
  await sees(page, 'Last checked')
})
