// What connections and calendars are called. A service names her main calendar after her address; here it goes by the
// service's name. Files that she took in have no service.

import type { ConnectionView, Overview } from './bridge/types'
import type { Messages } from './messages/en'

export function connectionName(connection: ConnectionView, words: Messages): string {
  return connection.files ? words.files : words.services[connection.service]
}

export function calendarName(connection: ConnectionView, name: string, words: Messages): string {
  return name === connection.account ? connectionName(connection, words) : name
}

/** The same by the calendar's id, wherever it is. */
export function nameOf(overview: Overview, id: string, words: Messages): string {
  return namesOf(overview.connections, words).get(id) ?? ''
}

/** The names of all of them, by their ids. */
export function namesOf(connections: ConnectionView[], words: Messages): Map<string, string> {
  const named = (connection: ConnectionView) =>
    connection.calendars.map(({ id, name }) => [id, calendarName(connection, name, words)] as const)
  return new Map(connections.flatMap(named))
}
