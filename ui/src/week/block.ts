// A time that she wants to block, as fields hold it: what is proposed, and how one field follows another. What can be
// blocked is decided in the app. Pure.

import type { BlockTimeForm, BookingView } from '../bridge/types'
import { addDays, asUtc, instantAt, sameDay, wall, type CivilDate } from '../time'

/** Days as `2026-11-19`, times as `14:00`, all on her wall clock. */
export interface Draft {
  fromDay: string
  fromTime: string
  toDay: string
  toTime: string
  /** From the first midnight to the last; the times wait. */
  whole: boolean
}

/** A point of the week that she chose. */
export interface Point {
  date: CivilDate
  hours: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** What is proposed for a week that she is not in. */
const MORNING = 9

/** An hour from where she pointed; else from the next half-hour of today, or the morning of the week she looks at. */
export function propose(point: Point | null, monday: CivilDate, now: number, zone: string): Draft {
  if (point) return hourFrom(asUtc(point.date) + point.hours * HOUR_MS)
  const today = wall(now, zone)
  const inWeek = Array.from({ length: 7 }, (_, day) => addDays(monday, day)).some((day) => sameDay(day, today))
  if (!inWeek) return hourFrom(asUtc(monday) + MORNING * HOUR_MS)
  const half = Math.ceil((today.hour * 60 + today.minute) / 30) * 30
  return hourFrom(asUtc(today) + half * MINUTE_MS)
}

function hourFrom(at: number): Draft {
  return { fromDay: day(at), fromTime: time(at), toDay: day(at + HOUR_MS), toTime: time(at + HOUR_MS), whole: false }
}

/** The end keeps its distance when the beginning is changed. */
export function beginning(draft: Draft, change: { fromDay?: string; fromTime?: string }): Draft {
  const next = { ...draft, ...change }
  const [before, after] = [at(draft.fromDay, draft.fromTime), at(next.fromDay, next.fromTime)]
  const end = at(draft.toDay, draft.toTime) + (after - before)
  return Number.isNaN(end) ? next : { ...next, toDay: day(end), toTime: time(end) }
}

/** What the app is asked. Whole days end with the midnight after the last. */
export function asked(draft: Draft): BlockTimeForm {
  if (!draft.whole) return { from: `${draft.fromDay}T${draft.fromTime}`, until: `${draft.toDay}T${draft.toTime}` }
  const last = at(draft.toDay, '00:00')
  const until = Number.isNaN(last) ? draft.toDay : day(last + 24 * HOUR_MS)
  return { from: `${draft.fromDay}T00:00`, until: `${until}T00:00` }
}

/** Instants of it, where it is a stretch of time. */
export function span(draft: Draft, zone: string): { from: number; until: number } | null {
  const { from, until } = asked(draft)
  const [start, end] = [from, until].map((text) => {
    const utc = Date.parse(`${text}:00Z`)
    return Number.isNaN(utc) ? Number.NaN : instantAt(utc, zone)
  }) as [number, number]
  return start < end ? { from: start, until: end } : null
}

/** Bookings stand, whatever she blocks. */
export function within(bookings: BookingView[], stretch: { from: number; until: number } | null): BookingView[] {
  if (!stretch) return []
  return bookings.filter((one) => Date.parse(one.start) < stretch.until && stretch.from < Date.parse(one.end))
}

const at = (date: string, clock: string) => Date.parse(`${date}T${clock}:00Z`)
const day = (utc: number) => new Date(utc).toISOString().slice(0, 10)
const time = (utc: number) => new Date(utc).toISOString().slice(11, 16)
