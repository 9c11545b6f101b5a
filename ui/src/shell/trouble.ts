// What is wrong, for the band above a page: nothing while everything is well or merely waiting.

import type { Code, Overview } from '../bridge/types'
import type { Language } from '../language'
import { connectionName } from '../names'

export interface Trouble {
  said: string
  next: string
  /** Where it is Bookiji itself: how old the page is. */
  stale: string | null
  /** She has to sign in to Bookiji once more. */
  signsIn: boolean
  /** It is about a watched folder. */
  files: boolean
}

const SIGNED_OUT: readonly Code[] = ['OAUTH_TOKEN_EXPIRED', 'NOT_SIGNED_IN', 'INVALID_CREDENTIALS']

export function trouble(overview: Overview, language: Language): Trouble | null {
  const { problem, folder_problem, state, connections, last_sync_at } = overview
  if (!problem && folder_problem && state === 'needs_you') {
    const { folderWaits, folderWaitsNext } = language.words.filing
    return { said: folderWaits, next: folderWaitsNext, stale: null, signsIn: false, files: true }
  }
  if (!problem || state === 'up_to_date' || state === 'syncing' || state === 'paused') return null
  const { words } = language
  const told = language.problem(problem.code)
  const broken = connections.filter((connection) => connection.problem?.code === problem.code)
  const name = broken.length > 0 ? broken.map((c) => connectionName(c, words)).join(', ') : 'Bookiji'
  const stale =
    broken.length === 0 && last_sync_at ? `${words.week.asOf(language.time(last_sync_at))} ${told.next}` : null
  const signsIn = broken.length === 0 && SIGNED_OUT.includes(problem.code)
  return { said: words.named(name, told.said), next: `${told.cause} ${told.next}`, stale, signsIn, files: false }
}
