// In which words and which notation the window speaks: the computer's language, English where it is neither.

import { problemWords, type Code, type Refusal } from './bridge/types'
import { en, type Messages } from './messages/en'
import { fr } from './messages/fr'
import { asUtc, type CivilDate } from './time'

/** What an error code means, and the one thing to do next. Commands in it stand between backticks. */
export interface ProblemWords {
  said: string
  cause: string
  next: string
}

/** Words and formats for one locale and one zone. */
export interface Language {
  locale: string
  words: Messages
  zone: string
  problem(code: Code): ProblemWords
  /** Why something was not done: what cannot be used, where that is named, or else what its code means. */
  refusal(refused: Refusal): { said: string; next: string }
  /** 11:30 */
  time(instant: number | string): string
  /** 11:30–12:15 */
  timeRange(from: number | string, to: number | string): string
  /** Thu 19 Nov, 14:00–15:00, or with both days. */
  stretch(from: number, to: number): string
  /** 9:00, or 9 AM: the label of an hour of the day. */
  hour(hour: number): string
  /** 22:30 in her notation. */
  clock(time: string): string
  /** Tue */
  weekday(date: CivilDate): string
  /** Tuesday 17 November */
  longDay(date: CivilDate): string
  /** 16–22 November */
  week(monday: CivilDate, sunday: CivilDate): string
  /** Fri 20 Nov, or 20–22 Nov: whole days from one instant to the first moment after them. */
  days(from: string, until: string): string
  /** Two instants are on the same day of hers where this is the same. */
  dayOf(instant: number | string): string
  /** 11:30 today, the day before it otherwise. */
  moment(instant: number | string, now: number): string
  /** 2 min ago, and a moment once that is hours. */
  ago(instant: number | string, now: number): string
}

const spoken = new Map<string, Language>()

/** The same object for the same locale and zone: whatever was written with it stands. */
export function language(preferred: readonly string[], zone: string): Language {
  const locale = preferred.find((tag) => /^(en|fr)\b/i.test(tag)) ?? 'en-GB'
  const key = `${locale} ${zone}`
  const found = spoken.get(key) ?? speak(locale, zone)
  spoken.set(key, found)
  return found
}

function speak(locale: string, zone: string): Language {
  const french = locale.toLowerCase().startsWith('fr')
  const words = french ? fr : en
  const inZone = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
  const civil = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })

  const clock = inZone({ timeStyle: 'short' })
  const halves = clock.resolvedOptions().hour12
  const hours = civil(halves ? { hour: 'numeric' } : { timeStyle: 'short' })
  const weekday = civil({ weekday: 'short' })
  const longDay = civil({ weekday: 'long', day: 'numeric', month: 'long' })
  const range = civil({ day: 'numeric', month: 'long' })
  const dayOf = inZone({ year: 'numeric', month: '2-digit', day: '2-digit' })

  const oneDay = inZone({ weekday: 'short', day: 'numeric', month: 'short' })
  const someDays = inZone({ day: 'numeric', month: 'short' })

  const instant = (value: number | string) => (typeof value === 'string' ? Date.parse(value) : value)
  const time = (value: number | string) => clock.format(instant(value))
  const moment = (value: number | string, now: number) =>
    dayOf.format(instant(value)) === dayOf.format(now) ? time(value) : `${oneDay.format(instant(value))}, ${time(value)}`

  const problem = (code: Code): ProblemWords => {
    const told = problemWords[french ? 'fr' : 'en'][code]
    const proper = (text: string) => (french ? unbreakable(text) : text)
    const next = words.nextSteps[code] ?? told.next_step
    return { said: proper(told.plain), cause: proper(told.cause), next: proper(next) }
  }
  return {
    locale,
    words,
    zone,
    problem,
    refusal: ({ code, why }) => {
      if (why) return words.unusable[why]
      const { said, cause, next } = problem(code)
      return { said, next: `${cause} ${next}` }
    },
    time,
    timeRange: (from, to) => `${time(from)}–${time(to)}`,
    stretch: (from, to) => {
      const [first, last] = [oneDay.format(from), oneDay.format(to - 1)]
      return first === last ? `${first}, ${time(from)}–${time(to)}` : `${first}, ${time(from)} – ${oneDay.format(to)}, ${time(to)}`
    },
    hour: (hour) => hours.format(Date.UTC(2026, 0, 1, hour)),
    clock: (time) => civil({ timeStyle: 'short' }).format(Date.parse(`2026-01-01T${time}:00Z`)),
    weekday: (date) => weekday.format(asUtc(date)).replace(/\.$/, ''),
    longDay: (date) => longDay.format(asUtc(date)),
    week: (monday, sunday) => range.formatRange(asUtc(monday), asUtc(sunday)).replace(/\s*–\s*/, '–'),
    days: (from, until) => {
      const [first, last] = [instant(from), Math.max(instant(from), instant(until) - 1)]
      if (dayOf.format(first) === dayOf.format(last)) return oneDay.format(first)
      return someDays.formatRange(first, last).replace(/\s*–\s*/, '–')
    },
    dayOf: (value) => dayOf.format(instant(value)),
    moment,
    ago: (value, now) => {
      const minutes = Math.floor((now - instant(value)) / 60_000)
      if (minutes < 1) return words.ago.now
      if (minutes < 60) return words.ago.minutes(minutes)
      if (minutes < 6 * 60) return words.ago.hours(Math.floor(minutes / 60))
      return moment(value, now)
    },
  }
}

/** French punctuation does not begin a line. */
function unbreakable(text: string): string {
  return text.replace(/ (?=[;?!»])|(?<=«) /g, '\u202f').replace(/ (?=:)/g, '\u00a0')
}

/** The locales to try: the app's language first, in the notation of her own computer where that speaks it. */
export function preferred(chosen: string | null | undefined, system: readonly string[]): readonly string[] {
  if (!chosen) return system
  return [...system.filter((tag) => tag.toLowerCase().startsWith(chosen)), chosen === 'en' ? 'en-GB' : chosen]
}

/** A zone that this browser knows; the computer's own where the vendor's is not one. */
export function usableZone(zone: string | undefined): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  if (!zone) return own
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch {
    return own
  }
}
