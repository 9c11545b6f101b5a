// Everything the window may ask of its host. Nothing outside `tauri.ts` and `generated/` knows Tauri.

import type { SignInTo, SignInView } from './types'
import type {
  AboutView, CaldavForm, CardOption, ChooseForm, ChoicesView, DiagnosisView, DisconnectForm, ForgetForm, LinkForm,
  LogInForm, Overview, PauseForm, PreferencesView,
  PrivacyView, Refusal, UndoneView, UpdateView, WordsView,
} from './types'

/** What came of a request: nothing, or why it was not done. */
export type Outcome = Refusal | null

/** What was asked for, or why there is none of it. */
export type Answer<T> = T | Refusal

export function isRefusal<T extends object>(answer: Answer<T>): answer is Refusal {
  return 'code' in answer && 'message' in answer
}

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
  pause(form: PauseForm): Promise<Outcome>
  resume(): Promise<Outcome>
  exploreSample(): Promise<Outcome>
  leaveSample(): Promise<Outcome>

  /** What her calendars are for, and how their events count. */
  choices(): Promise<Answer<ChoicesView>>
  choose(form: ChooseForm): Promise<Outcome>

  /** The sign-in that goes through her browser, if one does. */
  signIn(): Promise<SignInView>
  beginSignIn(to: SignInTo): Promise<Outcome>
  /** Opens its page once more. */
  openSignIn(): Promise<Outcome>
  /** Takes the address at which her browser ended, if it is of this sign-in. */
  pasteSignIn(address: string): Promise<Outcome>
  /** Gives it up, or forgets how it ended. */
  cancelSignIn(): Promise<Outcome>
  /** Signs in to Bookiji with a password. */
  logIn(form: LogInForm): Promise<Outcome>
  connectCaldav(form: CaldavForm): Promise<Outcome>
  connectLink(form: LinkForm): Promise<Outcome>
  disconnect(form: DisconnectForm): Promise<Outcome>

  /** What Bookiji was sent. */
  privacy(): Promise<Answer<PrivacyView>>
  /** The very words of one message, as long as they are kept. */
  sentWords(number: number): Promise<Answer<WordsView> | null>

  preferences(): Promise<Answer<PreferencesView>>
  /** All of them at once. */
  setPreferences(form: PreferencesView): Promise<Outcome>
  startsAtLogin(): Promise<boolean>
  setStartAtLogin(on: boolean): Promise<Outcome>
  about(): Promise<AboutView>
  diagnose(): Promise<Answer<DiagnosisView>>
  /** Erases everything of hers on this computer. */
  forget(form: ForgetForm): Promise<Outcome>
  checkForUpdates(): Promise<Answer<UpdateView>>
  installUpdate(): Promise<Outcome>
  now(): number
}

/** The app where there is one; while developing, invented data in a browser. */
export async function connect(): Promise<Bridge> {
  if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
    return (await import('./fake')).bridge(new URLSearchParams(location.search))
  }
  return (await import('./tauri')).bridge
}
