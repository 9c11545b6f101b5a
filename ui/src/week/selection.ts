// What the panel beside the week explains.

import type { BookingView, BusyView } from '../bridge/types'
import type { CivilDate } from '../time'

export type Selection =
  | { kind: 'booking'; key: string; booking: BookingView; date: CivilDate }
  | {
      kind: 'busy'
      key: string
      busy: BusyView
      date: CivilDate
      /** How far down the event she pointed; nothing where she used the keyboard. */
      fraction: number | null
    }

/** A name for one stretch within one day: the same event can stand in several days, and twice in one. */
export function busyKey(busy: BusyView, day: number): string {
  return `${busy.calendar}|${busy.start}|${busy.end}|${busy.title}|${day}`
}
