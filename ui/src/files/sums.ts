// What an import would do or did, added up over its files, and which questions its conflicts are. Pure.

import type { ConflictView, FileImportView, ImportView, OnConflict, Resolution } from '../bridge/types'

export interface Sums {
  new: number
  updated: number
  unchanged: number
  cancelled: number
  skipped: number
  conflicts: number
  busy: number
  /** Nothing where Bookiji's slots could not be looked at. */
  closes: number | null
  opens: number
  waiting: number
  refused: number
  /** Entries that the import changes something about. */
  changes: number
}

export function sums(view: ImportView): Sums {
  const total = (of: (file: FileImportView) => number) => view.files.reduce((sum, file) => sum + of(file), 0)
  const seen = view.files.filter((file) => file.closes !== null)
  const [fresh, updated, cancelled] = [total((f) => f.new), total((f) => f.updated), total((f) => f.cancelled)]
  return {
    new: fresh,
    updated,
    cancelled,
    unchanged: total((f) => f.unchanged),
    skipped: total((f) => f.skipped),
    conflicts: questions(view).length + total((f) => f.more_conflicts),
    busy: total((f) => f.busy),
    closes: seen.length === 0 ? null : total((f) => f.closes ?? 0),
    opens: total((f) => f.opens),
    waiting: total((f) => f.waiting),
    refused: view.files.filter((f) => f.outcome === 'rejected').length,
    changes: fresh + updated + cancelled,
  }
}

/** One event of a file that meets something, however often it does. */
export interface Question {
  uid: string
  first: ConflictView
  /** How many more times it meets something. */
  more: number
  canChoose: boolean
  chosen: OnConflict | null
}

/** Those that she can choose about first. */
export function questions(view: ImportView): Question[] {
  const byUid = new Map<string, ConflictView[]>()
  for (const conflict of view.files.flatMap((file) => file.conflicts)) {
    byUid.set(conflict.uid, [...(byUid.get(conflict.uid) ?? []), conflict])
  }
  const asked = [...byUid].map(([uid, all]) => {
    const first = all.find((one) => one.can_choose) ?? all[0]!
    return { uid, first, more: all.length - 1, canChoose: first.can_choose, chosen: chosen(first.resolution) }
  })
  return asked.sort((a, b) => Number(b.canChoose) - Number(a.canChoose))
}

/** The choice that led to this. */
export function chosen(resolution: Resolution): OnConflict | null {
  switch (resolution) {
    case 'replaced':
      return 'replace'
    case 'merged':
      return 'merge'
    case 'skipped':
      return 'skip'
    case 'waiting':
    case 'kept':
    case 'later':
      return null
  }
}

/** What all of them were answered with, if it is the same. */
export function common(asked: Question[]): OnConflict | null {
  const open = asked.filter((question) => question.canChoose)
  const first = open[0]?.chosen ?? null
  return open.every((question) => question.chosen === first) ? first : null
}
