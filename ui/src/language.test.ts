import { describe, expect, it } from 'vitest'
import type { Code } from './bridge/types'
import { problemWords } from './bridge/types'
import { language, preferred, usableZone } from './language'

const NOW = Date.parse('2026-11-17T10:40:00Z')
const spaces = (text: string) => text.replace(/[\u00a0\u202f\u2009]/g, ' ')

describe('a language', () => {
  it('is the first one she reads that we speak', () => {
    expect(language(['de-DE', 'fr-CA', 'en'], 'UTC').locale).toBe('fr-CA')
    expect(language(['de-DE'], 'UTC').locale).toBe('en-GB')
  })

  it('tells times in the zone of the vendor', () => {
    expect(language(['en-GB'], 'Europe/Paris').time('2026-11-17T10:40:00Z')).toBe('11:40')
    expect(spaces(language(['fr-CA'], 'America/Montreal').time('2026-11-17T10:40:00Z'))).toBe('05 h 40')
    expect(spaces(language(['en-US'], 'Europe/Paris').time('2026-11-17T12:40:00Z'))).toBe('1:40 PM')
  })

  it('names weeks', () => {
    const week = (tag: string) =>
      spaces(
        language([tag], 'UTC').week({ year: 2026, month: 11, day: 16 }, { year: 2026, month: 11, day: 22 }),
      )
    expect(week('en-GB')).toBe('16–22 November')
    expect(week('fr-FR')).toBe('16–22 novembre')
  })

  it('names whole days, one or many, as her calendar shows them', () => {
    const days = (tag: string, from: string, until: string) => spaces(language([tag], 'Europe/Paris').days(from, until))
    expect(days('en-GB', '2026-11-19T23:00:00Z', '2026-11-20T23:00:00Z')).toBe('Fri 20 Nov')
    expect(days('en-GB', '2026-11-19T23:00:00Z', '2026-11-22T23:00:00Z')).toBe('20–22 Nov')
    expect(days('fr-FR', '2026-11-29T23:00:00Z', '2026-12-02T23:00:00Z')).toBe('30 nov.–2 déc.')
  })

  it('names a stretch by its day, and by both where it spans two', () => {
    const { stretch } = language(['en-GB'], 'Europe/Paris')
    const at = (text: string) => Date.parse(text)
    expect(stretch(at('2026-11-19T13:00:00Z'), at('2026-11-19T14:30:00Z'))).toBe('Thu 19 Nov, 14:00–15:30')
    expect(stretch(at('2026-11-19T22:00:00Z'), at('2026-11-20T00:00:00Z'))).toBe('Thu 19 Nov, 23:00 – Fri 20 Nov, 01:00')
  })

  it('says how long ago something was, until that is no longer of use', () => {
    const { ago } = language(['en-GB'], 'Europe/Paris')
    expect(ago('2026-11-17T10:39:30Z', NOW)).toBe('just now')
    expect(ago('2026-11-17T10:38:00Z', NOW)).toBe('2 min ago')
    expect(ago('2026-11-17T07:38:00Z', NOW)).toBe('3 h ago')
    expect(ago('2026-11-17T03:38:00Z', NOW)).toBe('04:38')
  })
})

it('the language of the app comes first, in the notation of the computer', () => {
  expect(preferred(null, ['de-DE'])).toEqual(['de-DE'])
  expect(language(preferred('en', ['fr-CA', 'en-US']), 'UTC').locale).toBe('en-US')
  expect(language(preferred('fr', ['en-US']), 'UTC').locale).toBe('fr')
  expect(language(preferred('en', ['de-DE']), 'UTC').locale).toBe('en-GB')
})

describe('a zone that nobody knows', () => {
  it('gives way to the one of the computer', () => {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone
    expect(usableZone('Mars/Olympus')).toBe(own)
    expect(usableZone('Europe/Paris')).toBe('Europe/Paris')
  })
})

it('no trouble sends her to a terminal', () => {
  for (const locale of ['en-GB', 'fr-FR']) {
    const { problem } = language([locale], 'UTC')
    for (const code of Object.keys(problemWords.en) as Code[]) expect(problem(code).next, code).not.toContain('`')
  }
})
