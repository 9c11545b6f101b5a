// The shapes and words that cross from the app. They are generated: see `generated/`.

export type {
  BookingView,
  BusyView,
  CalendarView,
  ClashView,
  Code,
  ConnectionView,
  Language as LanguageTag,
  Overview,
  Placement,
  PreviewView,
  Problem,
  Refusal,
  Role,
  RunView,
  Schedule,
  Service,
  State,
} from '../generated/bindings'

export { problemWords } from '../generated/bindings'
