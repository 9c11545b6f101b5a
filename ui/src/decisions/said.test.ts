import { describe, expect, it } from 'vitest'
import { everyCard } from '../bridge/cards'
import { NOW } from '../bridge/salon'
import { language } from '../language'
import { said } from './said'

const now = Date.parse(NOW)
const spoken = (tag: string) => language([tag], 'Europe/Paris')

describe('a card', () => {
  it('says every answer that it offers, in both languages', () => {
    for (const tag of ['en-GB', 'fr-FR']) {
      for (const card of everyCard()) {
        const { title, body, answers } = said(card, spoken(tag), now)
        expect(answers.map((answer) => answer.option), card.kind).toEqual(card.options)
        for (const text of [title, body, ...answers.map((answer) => answer.label)]) {
          expect(text.trim(), card.kind).not.toBe('')
          expect(text, card.kind).not.toMatch(/undefined|null|NaN/)
        }
      }
    }
  })

  it('names both times, and the day only where it is another', () => {
    const { title, body, answers } = said(everyCard()[0]!, spoken('en-GB'), now)
    expect(title).toBe('Did you mean to move Jade Tremblay to 15:00?')
    expect(body).toBe('Blow-dry. You moved the event from 14:00 to 15:00. On Bookiji it is still 14:00.')
    expect(answers.map(({ label, note }) => [label, note])).toEqual([
      ['Move it to 15:00', 'Bookiji tells Jade.'],
      ['Ask Jade first', 'It moves once Jade says yes. Both times stay closed.'],
      ['Put it back to 14:00', 'The event returns. Jade isn’t told.'],
      ['Leave both blocked', '14:00 and 15:00 stay closed.'],
    ])
  })

  it('says nothing of a customer who is not known', () => {
    const { title, answers } = said({ ...everyCard()[0]!, customer: null, service: null }, spoken('en-GB'), now)
    expect(title).toBe('Did you mean to move a customer to 15:00?')
    expect(answers[0]!.note).toBe('Bookiji tells a customer.')
  })
})
