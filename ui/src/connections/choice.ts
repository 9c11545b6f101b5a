// What she may make of one calendar, and where her bookings go, in words.

import type { ChoicesView, ChoiceView, ChooseForm, Role } from '../bridge/types'
import type { Messages } from '../messages/en'

/** A form that changes nothing. */
export const NOTHING: ChooseForm = {
  calendar: null, role: null, all_day: null, tentative_blocks: null, buffer_before_minutes: null, buffer_after_minutes: null,
}

export interface Option {
  value: Role
  label: string
  /** Why it cannot be chosen. */
  not: string | null
}

/** What a calendar may be for. The one that bookings go to is left by choosing another. */
export function options(calendar: ChoiceView, words: Messages['choose']): Option[] {
  const leaves = calendar.role === 'target' ? words.onlyTarget : null
  return [
    { value: 'busy', label: words.blocks, not: leaves },
    { value: 'target', label: words.bookings, not: calendar.writable || calendar.role === 'target' ? null : words.readOnly },
    { value: 'off', label: words.off, not: leaves },
  ]
}

/** Where her bookings go. */
export function destination(choices: ChoicesView, words: Messages): string {
  const target = choices.calendars.find((calendar) => calendar.role === 'target')
  if (target) return words.choose.bookingsTo(target.name, words.services[target.service])
  // Only an account can be given a calendar of our own.
  const account = choices.calendars.some((calendar) => !calendar.files && calendar.service !== 'ics')
  return account ? words.choose.bookingsNew : words.choose.bookingsNowhere
}
