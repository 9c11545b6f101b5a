// Everything the window may ask of its host. Nothing outside `tauri.ts` and `generated/` knows Tauri.

import type { Overview, Refusal } from './types'

/** What came of a request: nothing, or why it was not done. */
export type Outcome = Refusal | null

export interface Bridge {
  overview(): Promise<Overview>
  /** Calls back whenever the overview may have changed. */
  onChange(listener: () => void): void
  syncNow(): Promise<Outcome>
  /** She has seen what the first sync would do, and lets it. */
  startSyncing(): Promise<Outcome>
  exploreSample(): Promise<Outcome>
  leaveSample(): Promise<Outcome>
  now(): number
}

/** The app where there is one; while developing, invented data in a browser. */
export async function connect(): Promise<Bridge> {
  if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
    return (await import('./fake')).bridge(new URLSearchParams(location.search))
  }
  return (await import('./tauri')).bridge
}
