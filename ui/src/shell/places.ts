// The places of the window, in the order of the rail and of Ctrl+1 to Ctrl+7: what she looks at by day, then what she sets.

import Calendars from '@lucide/svelte/icons/calendar-days'
import Download from '@lucide/svelte/icons/download'
import Plug from '@lucide/svelte/icons/plug'
import RefreshCw from '@lucide/svelte/icons/refresh-cw'
import ShieldCheck from '@lucide/svelte/icons/shield-check'
import Sliders from '@lucide/svelte/icons/sliders-horizontal'
import Split from '@lucide/svelte/icons/split'

export const PLACES = [
  { id: 'week', Icon: Calendars },
  { id: 'decisions', Icon: Split },
  { id: 'sync', Icon: RefreshCw },
  { id: 'files', Icon: Download },
  { id: 'connections', Icon: Plug },
  { id: 'privacy', Icon: ShieldCheck },
  { id: 'settings', Icon: Sliders },
] as const

export type Place = (typeof PLACES)[number]['id']

/** The first of those that are set up once and then left alone. */
export const FIRST_SET_UP: Place = 'connections'

/** Where a key leads that is pressed with Ctrl. */
export function placeOf(key: string): Place | null {
  if (key === ',') return 'settings'
  return (/^[1-9]$/.test(key) ? PLACES[Number(key) - 1]?.id : undefined) ?? null
}
