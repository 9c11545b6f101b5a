import { describe, expect, it } from 'vitest'
import type { BookingView } from '../bridge/types'
import { asked, beginning, propose, span, within, type Draft } from './block'

const ZONE = 'Europe/Paris'
const MONDAY = { year: 2026, month: 11, day: 16 }
/** Tuesday, 11:40 in Paris. */
const NOW = Date.parse('2026-11-17T10:40:00Z')

const draft = (more: Partial<Draft> = {}): Draft => ({
  fromDay: '2026-11-19', fromTime: '14:00', toDay: '2026-11-19', toTime: '15:00', whole: false, ...more,
})

describe('what is proposed', () => {
  it('is an hour from where she pointed', () => {
    expect(propose({ date: { year: 2026, month: 11, day: 19 }, hours: 14.5 }, MONDAY, NOW, ZONE)).toEqual(
      draft({ fromTime: '14:30', toTime: '15:30' }),
    )
  })

  it('is an hour from the next half-hour of today, also over midnight', () => {
    expect(propose(null, MONDAY, NOW, ZONE)).toMatchObject({ fromDay: '2026-11-17', fromTime: '12:00', toTime: '13:00' })
    const late = Date.parse('2026-11-17T22:40:00Z')
    expect(propose(null, MONDAY, late, ZONE)).toMatchObject({ fromDay: '2026-11-18', fromTime: '00:00', toTime: '01:00' })
  })

  it('is the Monday morning of another week', () => {
    expect(propose(null, { year: 2026, month: 11, day: 23 }, NOW, ZONE)).toMatchObject({ fromDay: '2026-11-23', fromTime: '09:00' })
  })
})

describe('the end', () => {
  it('keeps its distance from the beginning', () => {
    expect(beginning(draft(), { fromTime: '23:30' })).toEqual(draft({ fromTime: '23:30', toDay: '2026-11-20', toTime: '00:30' }))
    expect(beginning(draft(), { fromDay: '2026-12-24' })).toMatchObject({ toDay: '2026-12-24', toTime: '15:00' })
  })

  it('stays where the beginning is no time yet', () => {
    expect(beginning(draft(), { fromDay: '' })).toEqual(draft({ fromDay: '' }))
  })
})

describe('what the app is asked', () => {
  it('is what the fields say', () => {
    expect(asked(draft())).toEqual({ from: '2026-11-19T14:00', until: '2026-11-19T15:00' })
  })

  it('ends with the last day where whole days are blocked', () => {
    expect(asked(draft({ whole: true }))).toEqual({ from: '2026-11-19T00:00', until: '2026-11-20T00:00' })
    expect(asked(draft({ whole: true, toDay: '2026-12-31' })).until).toBe('2027-01-01T00:00')
  })
})

describe('bookings in it', () => {
  const booking = (start: string, end: string) => ({ start, end }) as BookingView

  it('are those that share a minute with it on her clock', () => {
    const stretch = span(draft(), ZONE)
    expect(stretch).toEqual({ from: Date.parse('2026-11-19T13:00:00Z'), until: Date.parse('2026-11-19T14:00:00Z') })
    const bookings = [booking('2026-11-19T12:00:00Z', '2026-11-19T13:00:00Z'), booking('2026-11-19T13:45:00Z', '2026-11-19T15:00:00Z')]
    expect(within(bookings, stretch)).toEqual([bookings[1]])
  })

  it('are none where it is no stretch of time', () => {
    expect(span(draft({ toTime: '14:00' }), ZONE)).toBeNull()
    expect(span(draft({ fromDay: '' }), ZONE)).toBeNull()
    expect(within([booking('2026-11-19T13:00:00Z', '2026-11-19T14:00:00Z')], null)).toEqual([])
  })

  it('follow the zone through the night in which the clocks change', () => {
    const night = span(draft({ fromDay: '2027-03-28', toDay: '2027-03-28', whole: true }), ZONE)!
    expect((night.until - night.from) / 3_600_000).toBe(23)
  })
})
