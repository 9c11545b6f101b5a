// The window's host when it is the app.

import { commands, events } from '../generated/bindings'
import type { Answer, Bridge, FilesBridge, Outcome } from './bridge'
import type { Refusal } from './types'

type Replied<T> = { status: 'ok'; data: T } | { status: 'error'; error: Refusal }

const outcome = (reply: Replied<null>): Outcome => (reply.status === 'ok' ? null : reply.error)
const answer = <T>(reply: Replied<T>): Answer<T> => (reply.status === 'ok' ? reply.data : reply.error)

const files: FilesBridge = {
  onOver: (listener) => void events.filesOver.listen((event) => listener(event.payload.over)),
  onOffer: (listener) => void events.offerChanged.listen(listener),
  offered: commands.offered,
  preview: async (form) => answer(await commands.previewOffer(form)),
  take: async (form) => answer(await commands.importOffer(form)),
  putAway: async (offer) => void (await commands.putAwayOffer(offer)),
  choose: async () => outcome(await commands.chooseFiles()),
  folders: async () => answer(await commands.folders()),
  addFolder: async () => answer(await commands.addFolder()),
  removeFolder: async (number) => outcome(await commands.removeFolder(number)),
  exportTo: async (form) => answer(await commands.export(form)),
  invite: async (form) => answer(await commands.invite(form)),
}

export const bridge: Bridge = {
  files,
  overview: commands.overview,
  onChange: (listener) => void events.overviewChanged.listen(listener),
  wantedPlace: commands.wantedPlace,
  onPlaceWanted: (listener) => void events.placeWanted.listen(listener),
  syncNow: async () => outcome(await commands.syncNow()),
  stopSync: async () => outcome(await commands.stopSync()),
  startSyncing: async () => outcome(await commands.startSyncing()),
  decide: async (id, option, always) => outcome(await commands.decide({ id, option, always })),
  undoRun: async (run) => answer(await commands.undoRun(run)),
  runStory: async (run) => answer(await commands.runStory(run)),
  explain: async (moment) => answer(await commands.explain(moment)),
  unblock: async (from, until) => outcome(await commands.unblock({ from, until })),
  blockAgain: async (from, until) => outcome(await commands.blockAgain({ from, until })),
  blockTime: async (form) => answer(await commands.blockTime(form)),
  takeBackBlock: async (block) => outcome(await commands.takeBackBlock({ block })),
  pause: async (form) => outcome(await commands.pause(form)),
  resume: async () => outcome(await commands.resume()),
  addVendor: async () => outcome(await commands.addVendor()),
  showVendor: async (seat) => outcome(await commands.showVendor(seat)),
  exploreSample: async () => outcome(await commands.exploreSample()),
  leaveSample: async () => outcome(await commands.leaveSample()),
  choices: async () => answer(await commands.choices()),
  choose: async (form) => outcome(await commands.choose(form)),
  signIn: commands.signIn,
  beginSignIn: async (form) => outcome(await commands.beginSignIn(form)),
  openSignIn: async () => outcome(await commands.openSignIn()),
  pasteSignIn: async (address) => outcome(await commands.pasteSignIn(address)),
  cancelSignIn: async () => outcome(await commands.cancelSignIn()),
  logIn: async (form) => outcome(await commands.logIn(form)),
  connectCaldav: async (form) => outcome(await commands.connectCaldav(form)),
  connectLink: async (form) => outcome(await commands.connectLink(form)),
  disconnect: async (form) => outcome(await commands.disconnect(form)),
  privacy: async () => answer(await commands.privacy()),
  sentWords: async (number) => answer(await commands.sentWords(number)),
  preferences: async () => answer(await commands.preferences()),
  setPreferences: async (form) => outcome(await commands.setPreferences(form)),
  startsAtLogin: commands.startsAtLogin,
  setStartAtLogin: async (on) => outcome(await commands.setStartAtLogin(on)),
  about: commands.about,
  diagnose: async () => answer(await commands.diagnose()),
  forget: async (form) => outcome(await commands.forget(form)),
  checkForUpdates: async () => answer(await commands.checkForUpdates()),
  installUpdate: async () => outcome(await commands.installUpdate()),
  tray: commands.tray,
  trayNoticed: async () => void (await commands.trayNoticed()),
  quit: async () => outcome(await commands.quit()),
  now: () => Date.now(),
}
