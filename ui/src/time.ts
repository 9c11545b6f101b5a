// Instants as wall time in the vendor's zone, by the browser's own zone rules. Knows nothing of pixels.

/** A civil date: what a wall calendar shows, without a zone. */
export interface CivilDate {
  year: number
  month: number
  day: number
}

/** Wall time in some zone. */
export interface Wall extends CivilDate {
  hour: number
  minute: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const clocks = new Map<string, Intl.DateTimeFormat>()

function clock(zone: string): Intl.DateTimeFormat {
  let found = clocks.get(zone)
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(zone, found)
  }
  return found
}

/** Reads the clock on the wall at `instant`. */
export function wall(instant: number, zone: string): Wall {
  const read = { year: 0, month: 0, day: 0, hour: 0, minute: 0 }
  for (const part of clock(zone).formatToParts(instant)) {
    if (part.type in read) read[part.type as keyof typeof read] = Number(part.value)
  }
  return read
}

/** Hours since midnight as the clock on the wall says, seconds left out. */
export function wallHours(instant: number, zone: string): number {
  const at = wall(instant, zone)
  return at.hour + at.minute / 60
}

/** The first instant of a civil day, also where the clocks skip midnight. */
export function startOfDay(date: CivilDate, zone: string): number {
  const utc = Date.UTC(date.year, date.month - 1, date.day)
  const before = utc - offset(utc - DAY_MS, zone)
  const after = utc - offset(utc + DAY_MS, zone)
  const candidates = [Math.min(before, after), Math.max(before, after)]
  for (const candidate of candidates) {
    if (sameDay(wall(candidate, zone), date) && !sameDay(wall(candidate - 1, zone), date)) return candidate
  }
  return candidates[1] as number
}

/** How far the zone's wall clock is ahead of UTC, in milliseconds. */
function offset(instant: number, zone: string): number {
  const at = wall(instant, zone)
  const minute = Math.floor(instant / 60_000) * 60_000
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute) - minute
}

export function sameDay(a: CivilDate, b: CivilDate): boolean {
  return a.year === b.year && a.month === b.month && a.day === b.day
}

export function addDays(date: CivilDate, days: number): CivilDate {
  const moved = new Date(Date.UTC(date.year, date.month - 1, date.day + days))
  return { year: moved.getUTCFullYear(), month: moved.getUTCMonth() + 1, day: moved.getUTCDate() }
}

/** The Monday on or before a date. */
export function monday(date: CivilDate): CivilDate {
  const weekday = new Date(Date.UTC(date.year, date.month - 1, date.day)).getUTCDay()
  return addDays(date, -((weekday + 6) % 7))
}

/** Whole weeks from one Monday to another. */
export function weeksBetween(from: CivilDate, to: CivilDate): number {
  const days = Date.UTC(to.year, to.month - 1, to.day) - Date.UTC(from.year, from.month - 1, from.day)
  return Math.round(days / DAY_MS / 7)
}

/** A civil date as an instant that every formatter set to UTC shows as that date. */
export function asUtc(date: CivilDate): number {
  return Date.UTC(date.year, date.month - 1, date.day)
}

/** The instant at which her wall clock shows what `utc` reads in UTC; an hour later where the clocks skip it. */
export function instantAt(utc: number, zone: string): number {
  const first = utc - offset(utc - DAY_MS, zone)
  return offset(first, zone) === offset(utc - DAY_MS, zone) ? first : utc - offset(utc + DAY_MS, zone)
}
