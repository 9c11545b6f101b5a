import { describe, expect, it } from 'vitest'
import type { BusyView, Schedule } from '../bridge/types'
import { moments, openedAt, pointed, told } from './moments'

const ZONE = 'Europe/Paris'
const NOW = Date.parse('2026-11-17T10:40:00Z')
const busy = (start: string, end: string, more: Partial<BusyView> = {}): BusyView => ({
  calendar: 'c', title: '', all_day: false, start, end, blocks_from: start, blocks_to: end, block: null, ...more,
})
const schedule = (parts: Partial<Schedule> = {}): Schedule => ({
  from: '2026-11-01T00:00:00Z', to: '2027-01-01T00:00:00Z', bookings: [], busy: [], clashes: [], unblocked: [], working: null, ...parts,
})
const starts = (stretch: BusyView, now = NOW, parts: Partial<Schedule> = {}, zone = ZONE) =>
  moments(stretch, schedule(parts), zone, now).map((moment) => moment.from.slice(11, 16))

describe('what can be opened all the same', () => {
  it('is every half-hour that the stretch touches, by the wall clock', () => {
    expect(starts(busy('2026-11-19T12:45:00Z', '2026-11-19T14:00:00Z'))).toEqual(['12:30', '13:00', '13:30'])
    const nepal = starts(busy('2026-11-19T12:45:00Z', '2026-11-19T13:15:00Z'), NOW, {}, 'Asia/Kathmandu')
    expect(nepal).toEqual(['12:45'])
  })

  it('counts what is kept free around the event', () => {
    const stretch = busy('2026-11-19T12:30:00Z', '2026-11-19T13:00:00Z', { blocks_to: '2026-11-19T13:15:00Z' })
    expect(starts(stretch)).toEqual(['12:30', '13:00'])
  })

  it('is not over, and no booking holds it', () => {
    const stretch = busy('2026-11-17T10:00:00Z', '2026-11-17T12:00:00Z')
    expect(starts(stretch)).toEqual(['10:30', '11:00', '11:30'])
    const booking = {
      id: 'b', start: '2026-11-17T11:00:00Z', end: '2026-11-17T11:30:00Z', service: null, customer: null,
      pending: false, placement: 'synced' as const,
    }
    expect(starts(stretch, NOW, { bookings: [booking] })).toEqual(['10:30', '11:30'])
    expect(starts(stretch, Date.parse('2026-11-17T12:00:00Z'))).toEqual([])
  })

  it('is a day at most', () => {
    expect(starts(busy('2026-11-18T00:00:00Z', '2026-12-18T00:00:00Z'))).toHaveLength(48)
  })
})

describe('where she points', () => {
  const stretch = busy('2026-11-19T12:30:00Z', '2026-11-19T14:30:00Z')
  const found = moments(stretch, schedule(), ZONE, NOW)
  const at = (fraction: number | null) => pointed(found, stretch, ZONE, fraction)?.from.slice(11, 16)

  it('is the half-hour under the pointer, and the first one without', () => {
    expect([at(null), at(0), at(0.3), at(0.99), at(7)]).toEqual(['12:30', '12:30', '13:00', '14:00', '14:00'])
  })

  it('is her morning on a whole day', () => {
    const day = busy('2026-11-18T23:00:00Z', '2026-11-19T23:00:00Z', { all_day: true })
    const morning = pointed(moments(day, schedule(), ZONE, NOW), day, ZONE, null)
    expect(morning?.from).toBe('2026-11-19T08:00:00.000Z')
    expect(pointed([], day, ZONE, null)).toBeNull()
  })

  it('shows what was opened there', () => {
    const unblocked = [{ start: '2026-11-19T13:00:00Z', end: '2026-11-19T14:00:00Z' }]
    const opened = openedAt(schedule({ unblocked }), found[2]!)
    expect(opened).toEqual({ from: '2026-11-19T13:00:00Z', until: '2026-11-19T14:00:00Z' })
    expect(openedAt(schedule({ unblocked }), found[0]!)).toBeNull()
  })

  it('leaves what Bookiji is told', () => {
    const left = (start: string, end: string) =>
      told(stretch, schedule({ unblocked: [{ start, end }] })).map((piece) => `${piece.from.slice(11, 16)}-${piece.until.slice(11, 16)}`)
    expect(left('2026-11-19T13:00:00Z', '2026-11-19T14:00:00Z')).toEqual(['12:30-13:00', '14:00-14:30'])
    expect(left('2026-11-19T12:00:00Z', '2026-11-19T13:00:00Z')).toEqual(['13:00-14:30'])
    expect(left('2026-11-19T12:00:00Z', '2026-11-19T15:00:00Z')).toEqual([])
    expect(left('2026-11-19T15:00:00Z', '2026-11-19T16:00:00Z')).toEqual(['12:30-14:30'])
  })
})
