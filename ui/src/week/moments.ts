// Which half-hours of a busy stretch can be opened all the same, and which of them she points at. Pure.

import type { BusyView, Schedule } from '../bridge/types'
import { wall, wallHours } from '../time'

/** Half an hour that a calendar blocks, as instants. */
export interface Moment {
  from: string
  until: string
}

const HALF_HOUR_MS = 1_800_000
/** A day of them. */
const MOST = 48

/** Every half-hour of the wall clock that is still to come, that the stretch blocks, and that no booking holds. */
export function moments(busy: BusyView, schedule: Schedule, zone: string, now: number): Moment[] {
  const end = Date.parse(busy.blocks_to)
  const first = Math.max(Date.parse(busy.blocks_from), now)
  const past = wall(first, zone).minute % 30
  const found: Moment[] = []
  let at = Math.floor(first / 60_000) * 60_000 - past * 60_000
  for (; at < end && found.length < MOST; at += HALF_HOUR_MS) {
    const until = at + HALF_HOUR_MS
    const booked = schedule.bookings.some((b) => Date.parse(b.start) < until && at < Date.parse(b.end))
    if (!booked && until > now) found.push({ from: iso(at), until: iso(until) })
  }
  return found
}

/** The one nearest to where she points, `fraction` of the way down the event itself; without that, where it begins. A
    whole day is pointed at where her hours begin. */
export function pointed(found: Moment[], busy: BusyView, zone: string, fraction: number | null): Moment | null {
  if (busy.all_day && fraction === null) {
    return found.find((moment) => wallHours(Date.parse(moment.from), zone) >= 9) ?? found[0] ?? null
  }
  const [start, end] = [Date.parse(busy.start), Date.parse(busy.end)]
  const at = start + (end - start) * Math.min(Math.max(fraction ?? 0, 0), 0.999)
  return found.findLast((moment) => Date.parse(moment.from) <= at) ?? found[0] ?? null
}

/** The time that she opened just this once and that this half-hour lies in. */
export function openedAt(schedule: Schedule, moment: Moment): Moment | null {
  const [from, until] = [Date.parse(moment.from), Date.parse(moment.until)]
  const open = schedule.unblocked.find((span) => Date.parse(span.start) < until && from < Date.parse(span.end))
  return open ? { from: open.start, until: open.end } : null
}

/** What of the stretch Bookiji is told: all but what she opened just this once. */
export function told(busy: BusyView, schedule: Schedule): Moment[] {
  let left: Moment[] = [{ from: busy.blocks_from, until: busy.blocks_to }]
  for (const open of schedule.unblocked) {
    const [start, end] = [Date.parse(open.start), Date.parse(open.end)]
    left = left.flatMap((piece) => {
      const [from, until] = [Date.parse(piece.from), Date.parse(piece.until)]
      if (end <= from || until <= start) return [piece]
      const around = [
        { from: piece.from, until: open.start },
        { from: open.end, until: piece.until },
      ]
      return around.filter((rest) => Date.parse(rest.from) < Date.parse(rest.until))
    })
  }
  return left
}

const iso = (instant: number) => new Date(instant).toISOString()
