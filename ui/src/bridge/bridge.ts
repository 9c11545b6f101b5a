// Everything the window may ask of its host. Nothing outside `tauri.ts` and `generated/` knows Tauri.

import type { CardOption, Overview, PauseForm, Refusal, UndoneView } from './types'

/** What came of a request: nothing, or why it was not done. */
export type Outcome = Refusal | null

export interface Bridge {
  overview(): Promise<Overview>
  /** Calls back whenever the overview may have changed. */
  onChange(listener: () => void): void
  syncNow(): Promise<Outcome>
  /** She has seen what the first sync would do, and lets it. */
  startSyncing(): Promise<Outcome>
  /** Carries her answer out on both sides; with `always`, questions of its kind are answered so from now on. */
  decide(id: string, option: CardOption, always: boolean): Promise<Outcome>
  /** Takes a run back, or says why not. */
  undoRun(run: string): Promise<UndoneView | Refusal>
  /** Lets a time be booked just this once, whatever her calendars say. */
  unblock(from: string, until: string): Promise<Outcome>
  /** Takes that back. */
  blockAgain(from: string, until: string): Promise<Outcome>
  pause(form: PauseForm): Promise<Outcome>
  resume(): Promise<Outcome>
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
