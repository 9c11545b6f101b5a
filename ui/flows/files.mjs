// Files that are offered to the window.
import assert from 'node:assert/strict'
import test from 'node:test'
import { button, sees, visit } from './stage.mjs'

const IMPORTS = 'Import 16 events'

test('files that come after an import are offered and not taken for those that were imported', async (t) => {
  const page = await visit(t, 'files-offer')
  const first = page.locator('.all label:nth-child(3)')
  await first.click()
  await button(page, IMPORTS).click()
  await button(page, 'Done').waitFor()

  await page.keyboard.press('Control+o')
  await button(page, IMPORTS).waitFor()
  assert.equal(await button(page, 'Done').count(), 0, 'nothing was taken in of these')
  assert.equal(await page.locator('.all input:checked').count(), 0, 'nothing is answered for her')
})

test('files that come before she has signed in, or before the first sync, wait and say so', async (t) => {
  const welcome = await visit(t, 'files-signed-out')
  await sees(welcome, '“school-terms-2026.ics” waits')
  await sees(welcome, 'Sign in first.')

  const preview = await visit(t, 'files-preview')
  await sees(preview, '“school-terms-2026.ics” waits')
  await button(preview, 'Start').click()
  await button(preview, IMPORTS).waitFor()
})

test('a watched folder that is not there leads to the files and makes nothing else wrong', async (t) => {
  const page = await visit(t, 'unplugged')
  await sees(page, 'Everything else goes on.')
  await button(page, 'Open Import & export').click()
  await sees(page, 'Watched folders')
})
