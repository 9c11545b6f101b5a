// One run as one line of history.

import type { RunView, State } from '../bridge/types'
import type { Messages } from '../messages/en'

export interface Line {
  said: string
  /** A shape in front, where it did not go well or still goes on. */
  state: State | null
  /** Nothing happened. */
  idle: boolean
}

export function ranAs(run: RunView, words: Messages): Line {
  const { sync } = words
  if (!run.ended_at) return { said: sync.running, state: 'syncing', idle: false }
  const did = [
    run.created > 0 && sync.created(run.created),
    run.updated > 0 && sync.updated(run.updated),
    run.removed > 0 && sync.removed(run.removed),
    run.slots_opened > 0 && sync.slotsOpened(run.slots_opened),
    run.slots_closed > 0 && sync.slotsClosed(run.slots_closed),
    run.published > 0 && sync.published(run.published),
    run.held > 0 && sync.held(run.held),
    run.decisions > 0 && sync.decisions(run.decisions),
  ].filter((part) => part !== false)
  const failed = run.outcome !== 'success'
  if (did.length > 0) return { said: did.join(', '), state: failed ? 'error' : null, idle: false }
  // She did that herself: a run that broke off says why.
  if (run.outcome === 'partial' && run.problems.length === 0) return { said: sync.stopped, state: 'paused', idle: false }
  if (failed) return { said: sync.failed, state: 'error', idle: false }
  return { said: sync.nothing, state: null, idle: true }
}
