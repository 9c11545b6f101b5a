// What the first sync comes to, in four numbers.

import type { Overview, PreviewView } from '../bridge/types'
import type { Messages } from '../messages/en'

export interface Sum {
  number: number
  said: string
}

export function sums(overview: Overview, preview: PreviewView, words: Messages): Sum[] {
  const overlaps = overview.schedule.clashes.length
  return [
    { number: preview.busy_times, said: words.preview.busy(preview.busy_times, preview.calendars) },
    { number: preview.created, said: words.preview.created(preview.created, preview.into) },
    preview.decisions > 0 || overlaps === 0
      ? { number: preview.decisions, said: words.preview.decisions(preview.decisions) }
      : { number: overlaps, said: words.preview.overlaps(overlaps) },
    { number: 0, said: words.preview.own },
  ]
}
