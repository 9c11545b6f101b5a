// The window's host when it is the app.

import { commands, events } from '../generated/bindings'
import type { Bridge, Outcome } from './bridge'
import type { Refusal } from './types'

type Answer = { status: 'ok' } | { status: 'error'; error: Refusal }

const outcome = (answer: Answer): Outcome => (answer.status === 'ok' ? null : answer.error)

export const bridge: Bridge = {
  overview: commands.overview,
  onChange: (listener) => void events.overviewChanged.listen(listener),
  syncNow: async () => outcome(await commands.syncNow()),
  startSyncing: async () => outcome(await commands.startSyncing()),
  decide: async (id, option, always) => outcome(await commands.decide({ id, option, always })),
  undoRun: async (run) => {
    const answer = await commands.undoRun(run)
    return answer.status === 'ok' ? answer.data : answer.error
  },
  unblock: async (from, until) => outcome(await commands.unblock({ from, until })),
  blockAgain: async (from, until) => outcome(await commands.blockAgain({ from, until })),
  pause: async (form) => outcome(await commands.pause(form)),
  resume: async () => outcome(await commands.resume()),
  exploreSample: async () => outcome(await commands.exploreSample()),
  leaveSample: async () => outcome(await commands.leaveSample()),
  now: () => Date.now(),
}
