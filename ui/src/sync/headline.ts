// The sentence that answers "does it work?", and the one that says when.

import type { Overview } from '../bridge/types'
import type { Language } from '../language'
import type { Messages } from '../messages/en'

export function headline(overview: Overview, words: Messages): string {
  if (!overview.vendor || overview.connections.length === 0) return words.sync.notStarted
  switch (overview.state) {
    case 'up_to_date':
      return overview.last_sync_at ? words.sync.upToDate : words.sync.notStarted
    case 'syncing':
      return words.sync.syncing
    case 'paused':
      return words.sync.paused
    case 'offline':
      return words.sync.offline
    case 'needs_you': {
      const waiting = overview.connections.filter((connection) => connection.state === 'needs_you').length
      return waiting > 0 ? words.sync.needsYou(waiting) : words.sync.needsYouElse
    }
    case 'error':
      return words.sync.error
  }
}

export function rhythm(overview: Overview, language: Language, now: number): string {
  const { words, moment } = language
  const { last_sync_at, next_sync_at } = overview
  if (!last_sync_at) return words.sync.never
  const minutes = Math.min(
    ...overview.connections.flatMap(({ calendars }) =>
      calendars.filter((calendar) => calendar.role !== 'off').map((calendar) => calendar.frequency_minutes),
    ),
  )
  return next_sync_at && Number.isFinite(minutes)
    ? words.sync.rhythm(moment(last_sync_at, now), moment(next_sync_at, now), minutes)
    : words.sync.lastOnly(moment(last_sync_at, now))
}
