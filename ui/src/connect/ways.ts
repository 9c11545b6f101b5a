// The ways in which a calendar gets here, in the order in which vendors have them.

import type { ConnectionView } from '../bridge/types'
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

/** The way by which an account came. */
export function wayOf(connection: ConnectionView): Way {
  switch (connection.service) {
    case 'google':
    case 'outlook':
      return connection.service
    case 'caldav':
      return /(^|\.)icloud\.com$/.test(host(connection)) ? 'icloud' : 'caldav'
    case 'ics':
      return 'link'
  }
}

/** The server of an account as she would type it; nothing where none is typed. */
export function serverOf(connection: ConnectionView): string {
  const named = host(connection)
  return /(^|\.)fastmail\.com$/.test(named) ? 'fastmail' : named
}

/** An account at a server is called by its user name and, between brackets, by that. */
const host = ({ account }: ConnectionView) => /\(([^()]+)\)$/.exec(account)?.[1] ?? ''
