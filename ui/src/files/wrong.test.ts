import { describe, expect, it } from 'vitest'
import type { NotACalendar, ProblemKind, Rejection } from '../bridge/types'
import { language } from '../language'
import { odd, rejected } from './wrong'

const english = language(['en-GB'], 'Europe/Paris')
const french = language(['fr-FR'], 'Europe/Paris')
const nb = '\u00a0'
const thin = '\u202f'

type Part = Extract<ProblemKind, { kind: 'unreadable' }>['part']
/** Every part and every kind: one that is missing here is a fault of types. */
const PARTS: Record<Part, string> = {
  start: 'soon', second_start: 'soon', end: 'soon', duration: 'long', instance: 'soon', rule: 'FREQ=DAILY',
  except_dates: 'soon', extra_dates: 'soon', sequence: 'first', stamp: 'soon',
}
type Named<Kind extends ProblemKind['kind']> = Extract<ProblemKind, { kind: Kind }>
const KINDS: { [Kind in Exclude<ProblemKind['kind'], 'unreadable'>]: Named<Kind> } = {
  no_property: { kind: 'no_property' },
  long_line: { kind: 'long_line', property: 'DESCRIPTION' },
  ends_early: { kind: 'ends_early' },
  too_deep: { kind: 'too_deep' },
  calendar_in_calendar: { kind: 'calendar_in_calendar' },
  never_began: { kind: 'never_began', component: 'VEVENT' },
  no_end: { kind: 'no_end' },
  many_events: { kind: 'many_events', most: 131_000 },
  no_start: { kind: 'no_start' },
  unreadable_period: { kind: 'unreadable_period', text: 'noon/PT' },
  many_periods: { kind: 'many_periods' },
  own_zone: { kind: 'own_zone', zone: 'Salon' },
  replaced_zone: { kind: 'replaced_zone', zone: 'Salon' },
  unknown_zone: { kind: 'unknown_zone', zone: 'Salon' },
  many_zones: { kind: 'many_zones', zone: 'Salon' },
  large_zone: { kind: 'large_zone', zone: 'Salon' },
}
const all: ProblemKind[] = [
  ...Object.values(KINDS),
  ...Object.entries(PARTS).map(([part, text]) => ({ kind: 'unreadable' as const, part: part as Part, text })),
]

const WHATS: Record<NotACalendar, true> = {
  empty: true, html: true, zip: true, executable: true, compressed: true, pdf: true, json: true, xml: true, contacts: true,
  no_calendar: true, too_large: true,
}
const WHYS: { [Why in Exclude<Rejection['why'], 'not_a_calendar'>]: Extract<Rejection, { why: Why }> } = {
  no_events: { why: 'no_events', line: 212 },
  too_large: { why: 'too_large', most_mb: 10 },
  folder: { why: 'folder' },
  no_file: { why: 'no_file' },
  link: { why: 'link' },
  leads_away: { why: 'leads_away' },
  climbs: { why: 'climbs' },
  unreadable: { why: 'unreadable' },
}
const rejections: Rejection[] = [
  ...Object.values(WHYS),
  ...Object.keys(WHATS).map((what) => ({ why: 'not_a_calendar' as const, what: what as NotACalendar })),
]

describe('what is odd in a line', () => {
  it('has a sentence of its own in each language, whatever it is', () => {
    for (const speech of [english, french]) {
      const sentences = all.map((found) => odd(found, speech))
      expect(new Set(sentences).size).toBe(all.length)
      for (const sentence of sentences) expect(sentence).toMatch(/^\p{Lu}.*\.$/u)
    }
    for (const found of all) expect(odd(found, french)).not.toBe(odd(found, english))
  })

  it('quotes the file as each language does, and says where nothing stands', () => {
    const start = (text: string): ProblemKind => ({ kind: 'unreadable', part: 'start', text })
    expect(odd(start('soon'), english)).toBe('The start of the event cannot be read (“soon”).')
    expect(odd(start('soon'), french)).toBe(`Le début de l’évènement est illisible («${thin}soon${thin}»).`)
    expect(odd(start(''), french)).toBe('Le début de l’évènement est illisible (rien n’y est écrit).')
  })

  it('writes a number as each language does', () => {
    const many = KINDS.many_events
    expect(odd(many, english)).toContain('more than 131,000 events')
    expect(odd(many, french)).toContain(`plus de 131\u202f000${nb}évènements`)
  })
})

describe('a file that is not taken in', () => {
  it('says why and what to do in each language, whatever it is', () => {
    for (const { words } of [english, french]) {
      const sentences = rejections.map((why) => rejected(why, words))
      expect(new Set(sentences.map(({ said }) => said)).size).toBe(rejections.length)
      for (const { said, next } of sentences) {
        expect(said).toMatch(/^\p{Lu}.*\.$/u)
        expect(next).toMatch(/^\p{Lu}.*\.$/u)
      }
    }
    for (const why of rejections) expect(rejected(why, french.words).said).not.toBe(rejected(why, english.words).said)
  })

  it('is to be unpacked, signed in for or exported again, as the case is', () => {
    const next = (what: NotACalendar) => rejected({ why: 'not_a_calendar', what }, english.words).next
    expect(next('zip')).toContain('Unpack')
    expect(next('html')).toContain('Sign in')
    expect(next('executable')).toContain('Do not open')
    expect(next('pdf')).toContain('Export the calendar again')
  })
})
