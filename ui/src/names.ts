// What a calendar is called. A service names her main calendar after her address; here it goes by the service's name.

import type { ConnectionView, Overview } from './bridge/types'
import type { Messages } from './messages/en'

export function calendarName(connection: ConnectionView, name: string, words: Messages): string {
  return name === connection.account ? words.services[connection.service] : name
}

/** The same by the calendar's id, wherever it is. */
export function nameOf(overview: Overview, id: string, words: Messages): string {
  for (const connection of overview.connections) {
    const calendar = connection.calendars.find((calendar) => calendar.id === id)
    if (calendar) return calendarName(connection, calendar.name, words)
  }
  return ''
}
