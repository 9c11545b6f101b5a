// What is wrong with a file as the sentences she reads: why it was not taken in, and what is odd in one of its lines.

import type { NotACalendar, ProblemKind, Rejection } from '../bridge/types'
import type { Language } from '../language'
import type { Messages } from '../messages/en'

/** Why a file was not taken in, and what to do about it. */
export function rejected(why: Rejection, words: Messages): { said: string; next: string } {
  const { filing } = words
  const { rejections, rejectedNext: step } = filing
  switch (why.why) {
    case 'not_a_calendar':
      return { said: filing.instead[why.what], next: filing.rejectedNext[stepFor(why.what)] }
    case 'no_events':
      return { said: rejections.no_events(why.line), next: step.again }
    case 'too_large':
      return { said: rejections.too_large(why.most_mb), next: step.less }
    case 'folder':
      return { said: rejections.folder, next: step.inside }
    case 'no_file':
      return { said: rejections.no_file, next: step.another }
    case 'link':
    case 'leads_away':
      return { said: filing.rejections[why.why], next: step.itself }
    case 'climbs':
    case 'unreadable':
      return { said: filing.rejections[why.why], next: step.look }
  }
}

function stepFor(what: NotACalendar): keyof Messages['filing']['rejectedNext'] {
  switch (what) {
    case 'zip':
    case 'compressed':
      return 'unpack'
    case 'html':
      return 'signIn'
    case 'executable':
      return 'leave'
    case 'too_large':
      return 'less'
    case 'empty':
    case 'pdf':
    case 'json':
    case 'xml':
    case 'contacts':
    case 'no_calendar':
      return 'again'
  }
}

/** What is odd in a line. */
export function odd(found: ProblemKind, language: Language): string {
  const words = language.words.filing
  const { odd: said, quoted, nothing } = words
  const text = (written: string) => (written === '' ? nothing : quoted(written))
  switch (found.kind) {
    case 'no_property':
    case 'ends_early':
    case 'too_deep':
    case 'calendar_in_calendar':
    case 'no_end':
    case 'no_start':
    case 'many_periods':
      return words.odd[found.kind]
    case 'long_line':
      return said.long_line(found.property)
    case 'never_began':
      return said.never_began(found.component)
    case 'many_events':
      return said.many_events(found.most.toLocaleString(language.locale))
    case 'unreadable':
      return said.unreadable[found.part](text(found.text))
    case 'unreadable_period':
      return said.unreadable_period(text(found.text))
    case 'own_zone':
    case 'replaced_zone':
    case 'unknown_zone':
    case 'many_zones':
    case 'large_zone':
      return words.odd[found.kind](quoted(found.zone))
  }
}
