// Accounts that she connects, connects again and leaves.
import assert from 'node:assert/strict'
import test from 'node:test'
import { button, sees, visit } from './stage.mjs'

test('a link that cannot be used is refused by what is wrong with it', async (t) => {
  const page = await visit(t, 'empty')
  await page.keyboard.press('Control+5')
  await page.click('main li:nth-child(5) button')
  await page.fill('#link', 'http://example.com/school.ics')
  await button(page, 'Connect').click()
  await sees(page, 'This address is not secure.')
  assert.equal(await page.getByText('Something in the command').count(), 0)
})

test('an account of iCloud whose password ended is asked for in its own form', async (t) => {
  const page = await visit(t, 'needs-you')
  await page.keyboard.press('Control+3')
  await button(page, 'Sign in again').click()
  await page.getByLabel('Apple Account e-mail').waitFor()
  assert.equal(await page.locator('#server').count(), 0)
})

test('nothing of hers is asked for while she looks at sample data', async (t) => {
  const page = await visit(t, 'sample')
  await page.keyboard.press('Control+5')
  await page.getByRole('heading', { name: 'What your calendars do' }).waitFor()
  assert.equal(await button(page, 'Connect a calendar').count(), 0)
})

test('a sign-in that does not even begin says why', async (t) => {
  const page = await visit(t, 'sample-bare')
  await page.keyboard.press('Control+5')
  await page.click('main li:nth-child(1) button')
  await button(page, 'Open my browser').click()
  await sees(page, 'Leave it first, and then connect a calendar of your own.')
})

test('leaving a Google account says what it does not do', async (t) => {
  const page = await visit(t, 'full')
  await page.keyboard.press('Control+5')
  await page.locator('.account .little').first().click()
  await sees(page, 'would disconnect your other computers too')
  await button(page, 'Keep it').click()
  await page.locator('.account .little').nth(1).click()
  await page.locator('.leaving').waitFor()
  assert.equal(await page.getByText('would disconnect your other computers too').count(), 0, 'Outlook shares none')
})
