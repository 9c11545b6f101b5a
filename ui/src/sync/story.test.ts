import { expect, it } from 'vitest'
import { NOW, salon } from '../bridge/salon'
import { storyOf } from '../bridge/telling'
import { language } from '../language'
import { tell } from './story'

const now = Date.parse(NOW)

it('a step says what was done, about whom, why, and how it ended', () => {
  const speech = language(['en-GB'], 'Europe/Paris')
  const [made, moved, sent, failed] = storyOf(salon(), '10:33').steps.map((step) => tell(step, speech, now))
  expect(made).toMatchObject({ said: expect.stringMatching(/^Event added · Haircut, Léa Bouchard, .*9:30 · Bookiji$/), why: 'The booking is new.', end: '' })
  expect(moved?.why).toMatch(/^The booking moved. It was .*11:00\.$/)
  expect(sent?.said).toBe('Busy times sent · 3 times · Work')
  expect(failed?.end).toBe('A service cannot be reached.')
})

it('nothing of a step is left unsaid in either language', () => {
  for (const tag of ['en-GB', 'fr-FR']) {
    for (const step of storyOf(salon(), '10:33').steps) {
      const told = tell(step, language([tag], 'Europe/Paris'), now)
      expect(told.said, tag).not.toMatch(/undefined|null/)
      expect(told.why, tag).not.toBe('')
    }
  }
})
