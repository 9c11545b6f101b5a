// One step of a run as a sentence, and why it was done.

import type { SpanView, StepView } from '../bridge/types'
import type { Language } from '../language'

export interface Told {
  said: string
  why: string
  /** What went wrong, or is not known yet. */
  end: string
}

export function tell(step: StepView, language: Language, now: number): Told {
  const words = language.words.story
  const when = (span: SpanView | null) => (span ? language.moment(span.start, now) : '')
  const who = [step.service ?? step.title, step.customer].filter(Boolean).join(', ')
  const calendar = step.calendar ?? ''
  const many = ['publish_busy', 'make_slots', 'open_slots', 'close_slots'].includes(step.kind)
  const about = many ? words.times(step.times) : [who, when(step.span)].filter(Boolean).join(', ')
  const said = [words.kinds[step.kind], about].filter(Boolean).join(' · ')
  const place = step.kind === 'make_slots' || step.kind === 'remove_slot' ? '' : calendar
  const before = step.before ? words.before(when(step.before)) : ''
  return {
    said: [said, place].filter(Boolean).join(' · '),
    why: [words.why[step.why], before].filter(Boolean).join(' '),
    end: step.end === 'done' ? '' : step.problem ? language.problem(step.problem.code).said : words.ends[step.end],
  }
}
