// The ways in which a calendar gets here, in the order in which vendors have them.

import type { Service } from '../bridge/types'
import type { Face } from '../faces'

export const WAYS = ['google', 'outlook', 'icloud', 'caldav', 'link', 'files'] as const
export type Way = (typeof WAYS)[number]

/** The hatch under which its busy time will be drawn. */
export const FACE: Record<Way, Face> = {
  google: 'rising', outlook: 'falling', icloud: 'dots', caldav: 'dots', link: 'level', files: 'cross',
}

/** Through her browser. */
export function byBrowser(way: Way): 'google' | 'outlook' | null {
  return way === 'google' || way === 'outlook' ? way : null
}

/** The way by which an account of a service came. */
export function wayOf(service: Service): Way {
  switch (service) {
    case 'google':
    case 'outlook':
    case 'caldav':
      return service
    case 'ics':
      return 'link'
  }
}
