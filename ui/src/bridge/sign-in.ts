// A sign-in that goes through her browser, as the window follows it.

import type { Code } from './types'

/** Where she signs in. */
export type SignInTo = 'bookiji' | 'google' | 'outlook'

/** What she did not allow. */
export type Missing = 'read_events' | 'list_calendars' | 'write_bookings'

export type SignInView =
  | { state: 'idle' }
  | { state: 'waiting'; to: SignInTo; address: string }
  | { state: 'done'; to: SignInTo; missing: Missing[] }
  | { state: 'refused'; to: SignInTo; code: Code; missing: Missing[]; administrator: string | null }
  | { state: 'timed_out'; to: SignInTo }
