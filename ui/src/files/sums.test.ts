import { describe, expect, it } from 'vitest'
import type { ConflictView, FileImportView } from '../bridge/types'
import { chosen, common, questions, sums } from './sums'

const file = (more: Partial<FileImportView> = {}): FileImportView => ({
  name: 'a.ics', outcome: 'imported', new: 0, updated: 0, unchanged: 0, cancelled: 0, skipped: 0, skips: [], busy: 0,
  closes: null, opens: 0, conflicts: [], more_conflicts: 0, lines: [], more_lines: 0, waiting: 0, refusal: null,
  unsent: null, ...more,
})
const conflict = (uid: string, more: Partial<ConflictView> = {}): ConflictView => ({
  uid, kind: 'slot', summary: uid, start: '2026-11-25T13:00:00Z', end: '2026-11-25T14:00:00Z',
  with: { summary: null, start: '2026-11-25T13:30:00Z', end: '2026-11-25T14:00:00Z' },
  resolution: 'waiting', can_choose: true, ...more,
})
const view = (...files: FileImportView[]) => ({ offer: 1, files, more: false })

describe('the sums of an import', () => {
  it('are those of its files, and say what is not known', () => {
    const both = sums(view(file({ new: 3, closes: 2 }), file({ updated: 1, cancelled: 1, outcome: 'rejected' })))
    expect(both).toMatchObject({ new: 3, updated: 1, cancelled: 1, changes: 5, closes: 2, refused: 1 })
    expect(sums(view(file({ new: 3 }))).closes).toBeNull()
  })

  it('count an event once, however often it meets something', () => {
    const asked = view(file({ conflicts: [conflict('a'), conflict('b', { can_choose: false }), conflict('a')], more_conflicts: 4 }))
    expect(sums(asked).conflicts).toBe(6)
    expect(questions(asked).map(({ uid, more, canChoose }) => [uid, more, canChoose])).toEqual([['a', 1, true], ['b', 0, false]])
  })
})

describe('what was chosen', () => {
  it('is read off what became of it', () => {
    expect(['replaced', 'merged', 'skipped', 'waiting', 'kept', 'later'].map((word) => chosen(word as 'kept'))).toEqual([
      'replace', 'merge', 'skip', null, null, null,
    ])
  })

  it('is common to all where it is the same', () => {
    const of = (...all: ConflictView[]) => common(questions(view(file({ conflicts: all }))))
    expect(of(conflict('a', { resolution: 'merged' }), conflict('b', { resolution: 'merged' }))).toBe('merge')
    expect(of(conflict('a', { resolution: 'merged' }), conflict('b'))).toBeNull()
    expect(of(conflict('a', { resolution: 'merged' }), conflict('b', { can_choose: false }))).toBe('merge')
    expect(of()).toBeNull()
  })
})
