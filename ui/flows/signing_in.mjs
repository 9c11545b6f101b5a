// Signing in to Bookiji where she is already at home.
import assert from 'node:assert/strict'
import test from 'node:test'
import { button, sees, visit } from './stage.mjs'

for (const [place, keys] of [['the week', null], ['Calendar Sync', 'Control+3']]) {
  test(`a sign-in that ended is renewed from ${place}, beside what is there`, async (t) => {
    const page = await visit(t, 'signed-off')
    if (keys) await page.keyboard.press(keys)
    await button(page, 'Sign in again').click()
    await page.getByRole('heading', { name: 'Sign in to Bookiji again' }).waitFor()
    await page.getByLabel('E-mail').fill('amelie@example.com')
    await page.getByLabel('Password').fill('wrong')
    await button(page, 'Sign in to Bookiji').click()
    await sees(page, 'Bookiji does not accept this e-mail address with this password.')
    await page.getByLabel('Password').fill('right')
    await button(page, 'Sign in to Bookiji').click()
    await button(page, 'Sign in again').waitFor({ state: 'detached' })
    assert.equal(await page.getByRole('heading', { name: 'Sign in to Bookiji again' }).count(), 0)
  })
}
