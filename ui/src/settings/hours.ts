// Her working hours in as few lines as say them: days that follow each other and are alike share one.

import type { StretchView } from '../bridge/types'
import type { Language } from '../language'
import { addDays, type CivilDate } from '../time'

export interface Line {
  /** Tue, or Tue–Sat. */
  days: string
  /** 09:00–12:00, 13:00–18:00; nothing on days off. */
  times: string
}

/** Some Monday. */
const MONDAY: CivilDate = { year: 2026, month: 1, day: 5 }

/** `week` is seven days from Monday on, in minutes after midnight. */
export function lines(week: StretchView[][], language: Language): Line[] {
  const clock = (minutes: number) => language.clock(`${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`)
  const said = week.map((day) => day.map(({ from, until }) => `${clock(from)}–${clock(until)}`).join(', '))
  const name = (day: number) => language.weekday(addDays(MONDAY, day))
  const found: Line[] = []
  for (let first = 0; first < said.length; ) {
    let last = first
    while (last + 1 < said.length && said[last + 1] === said[first]) last += 1
    const days = first === last ? name(first) : `${name(first)}–${name(last)}`
    found.push({ days, times: said[first]! })
    first = last + 1
  }
  return found
}

const two = (value: number) => String(value).padStart(2, '0')
