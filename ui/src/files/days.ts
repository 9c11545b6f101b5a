// The range of an export: what is proposed, and what of it can be asked for. Pure.

import { addDays, asUtc, type CivilDate } from '../time'

const MOST_YEARS = 5

/** As a date field writes it. */
export function written(date: CivilDate): string {
  return new Date(asUtc(date)).toISOString().slice(0, 10)
}

/** From today, a month ahead. */
export function proposed(today: CivilDate): { from: string; to: string } {
  return { from: written(today), to: written(addDays(today, 30)) }
}

/** What is wrong with a range; nothing where it can be written. */
export function fault(from: string, to: string): 'missing' | 'reversed' | 'long' | null {
  const [start, end] = [Date.parse(`${from}T00:00:00Z`), Date.parse(`${to}T00:00:00Z`)]
  if (Number.isNaN(start) || Number.isNaN(end)) return 'missing'
  if (end < start) return 'reversed'
  const last = new Date(start)
  last.setUTCFullYear(last.getUTCFullYear() + MOST_YEARS)
  return end >= last.getTime() ? 'long' : null
}
