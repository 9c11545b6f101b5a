// Everything the window may ask of its host. Nothing outside `tauri.ts` and `generated/` knows Tauri.

import type { SignInForm, SignInView } from './types'
import type {
  AboutView, BlockedView, BlockTimeForm, CaldavForm, CardOption, ChoicesView, ChooseForm, DiagnosisView, DisconnectForm, ExportForm, FolderFault, FoldersView,
  ForgetForm, ImportForm, ImportView, InviteForm, LinkForm, LogInForm, OfferView, Overview, PauseForm,
  ExplainedView, PreferencesForm, PreferencesView, PrivacyView, Refusal, RunStoryView, TrayView, UndoneView, UpdateView, WordsView, WrittenView,
} from './types'
import type { Place } from '../shell/places'

/** What came of a request: nothing, or why it was not done. */
export type Outcome = Refusal | null

/** What was asked for, or why there is none of it. */
export type Answer<T> = T | Refusal

export function isRefusal<T extends object>(answer: Answer<T>): answer is Refusal {
  return 'code' in answer && 'message' in answer
}

/** Files in and out. Where they lie, the window never learns. */
export interface FilesBridge {
  /** Calls back when files are held over the window, and when they are not any more. */
  onOver(listener: (over: boolean) => void): void
  /** Calls back whenever something else may be offered. */
  onOffer(listener: () => void): void
  offered(): Promise<OfferView | null>
  /** What the offered files would do. Nothing is written. */
  preview(form: ImportForm): Promise<Answer<ImportView>>
  /** Takes them in. */
  take(form: ImportForm): Promise<Answer<ImportView>>
  putAway(offer: number): Promise<void>
  /** Lets her choose files in the system's own dialog. */
  choose(): Promise<Outcome>
  folders(): Promise<Answer<FoldersView>>
  /** Watches one that she chooses, or says what is wrong with it. */
  addFolder(): Promise<Outcome | FolderFault>
  removeFolder(number: number): Promise<Outcome>
  /** Writes where she chooses; nothing where she chooses nothing. */
  exportTo(form: ExportForm): Promise<Answer<WrittenView> | null>
  invite(form: InviteForm): Promise<Answer<WrittenView> | null>
}

export interface Bridge {
  files: FilesBridge

  overview(): Promise<Overview>
  /** Calls back whenever the overview may have changed. */
  onChange(listener: () => void): void
  /** The place that somebody outside the window asked for, once: the tray, a notification, a link. */
  wantedPlace(): Promise<Place | null>
  onPlaceWanted(listener: () => void): void
  syncNow(): Promise<Outcome>
  /** Stops the sync that is under way. What it did is kept. */
  stopSync(): Promise<Outcome>
  /** She has seen what the first sync would do, and lets it. */
  startSyncing(): Promise<Outcome>
  /** Carries her answer out on both sides; with `always`, questions of its kind are answered so from now on. */
  decide(id: string, option: CardOption, always: boolean): Promise<Outcome>
  /** Takes a run back, or says why not. */
  undoRun(run: string): Promise<UndoneView | Refusal>
  /** Everything that a run did, and why. */
  runStory(run: string): Promise<Answer<RunStoryView>>
  /** Why a moment can or cannot be booked. */
  explain(moment: string): Promise<Answer<ExplainedView>>
  /** Lets a time be booked just this once, whatever her calendars say. */
  unblock(from: string, until: string): Promise<Outcome>
  /** Takes that back. */
  blockAgain(from: string, until: string): Promise<Outcome>
  /** Lets nobody book her then, or says what is wrong with that time. */
  blockTime(form: BlockTimeForm): Promise<Answer<BlockedView>>
  takeBackBlock(block: string): Promise<Outcome>
  pause(form: PauseForm): Promise<Outcome>
  resume(): Promise<Outcome>
  /** Makes room for one more vendor on this computer, and welcomes her. */
  addVendor(): Promise<Outcome>
  /** Turns the window to another vendor, by the number of her seat. */
  showVendor(seat: number): Promise<Outcome>
  exploreSample(): Promise<Outcome>
  leaveSample(): Promise<Outcome>

  /** What her calendars are for, and how their events count. */
  choices(): Promise<Answer<ChoicesView>>
  choose(form: ChooseForm): Promise<Outcome>

  /** The sign-in that goes through her browser, if one does. */
  signIn(): Promise<SignInView>
  beginSignIn(form: SignInForm): Promise<Outcome>
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
  setPreferences(form: PreferencesForm): Promise<Outcome>
  startsAtLogin(): Promise<boolean>
  setStartAtLogin(on: boolean): Promise<Outcome>
  about(): Promise<AboutView>
  diagnose(): Promise<Answer<DiagnosisView>>
  /** Erases everything of hers on this computer. */
  forget(form: ForgetForm): Promise<Outcome>
  checkForUpdates(): Promise<Answer<UpdateView>>
  installUpdate(): Promise<Outcome>
  /** Whether anybody shows tray icons, and whether that is news to her. */
  tray(): Promise<TrayView>
  trayNoticed(): Promise<void>
  /** Ends the app. */
  quit(): Promise<Outcome>
  now(): number
}

/** The app where there is one; while developing and measuring, invented data in a browser. */
export async function connect(): Promise<Bridge> {
  if (import.meta.env.MODE !== 'production' && !('__TAURI_INTERNALS__' in window)) {
    return (await import('./fake')).bridge(new URLSearchParams(location.search))
  }
  return (await import('./tauri')).bridge
}
