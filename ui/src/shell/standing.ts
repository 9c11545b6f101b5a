// The one sentence under the state: what the rail says, and the tray says too.

import type { Overview } from '../bridge/types'
import type { Language } from '../language'

export interface Standing {
  state: string
  sentence: string
}

export function standing(overview: Overview, language: Language, now: number): Standing {
  const { words } = language
  const state = words.states[overview.state]
  if (!overview.vendor) return { state: words.foot.notStarted, sentence: words.foot.nobody }
  if (overview.connections.length === 0) return { state: words.foot.notStarted, sentence: words.foot.noCalendars }
  if (overview.progress) return { state, sentence: words.progress(overview.progress) }
  if (overview.paused_until) {
    return { state, sentence: words.foot.until(language.moment(overview.paused_until, now)) }
  }
  const synced = overview.last_sync_at ? language.ago(overview.last_sync_at, now) : words.foot.never
  if (overview.decisions > 0) {
    return { state, sentence: `${words.foot.decisions(overview.decisions)} · ${synced}` }
  }
  if (overview.standing_by) {
    return { state, sentence: `${words.foot.standingBy(overview.standing_by)} · ${synced}` }
  }
  return { state, sentence: synced }
}
