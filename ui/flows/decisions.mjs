// Answers to cards, by mouse and by keys.
import assert from 'node:assert/strict'
import test from 'node:test'
import { button, visit } from './stage.mjs'

const cards = (page) => page.locator('[data-card]').count()

async function open(t) {
  const page = await visit(t, 'decisions-all')
  await page.keyboard.press('Control+2')
  await page.locator('[data-card]').first().waitFor()
  return page
}

test('cancelling a booking takes a second press, and can be thought better of', async (t) => {
  const page = await open(t)
  const before = await cards(page)
  await button(page, 'Cancel the booking').first().click()
  await button(page, 'Keep the booking').click()
  await button(page, 'Yes, cancel it').waitFor({ state: 'detached' })
  await button(page, 'Cancel the booking').first().click()
  assert.equal(await cards(page), before, 'nothing is answered yet')
  await button(page, 'Yes, cancel it').click()
  await page.waitForFunction((count) => document.querySelectorAll('[data-card]').length < count, before)
})

test('a digit answers the card that has the focus itself, and not the one that came under it', async (t) => {
  const page = await open(t)
  const before = await cards(page)
  await page.locator('[data-card] .answers button').first().focus()
  await page.keyboard.press('1')
  assert.equal(await cards(page), before, 'a button has the focus')

  await page.locator('[data-card]').first().focus()
  await page.keyboard.press('1')
  await page.waitForFunction((count) => document.querySelectorAll('[data-card]').length < count, before)
  const left = await cards(page)
  await page.waitForFunction(() => document.activeElement?.matches('[data-card]'))
  await page.keyboard.press('1')
  assert.equal(await cards(page), left, 'it came under her fingers just now')
})
