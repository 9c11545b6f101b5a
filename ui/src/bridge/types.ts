// The shapes and words that cross from the app. They are generated: see `generated/`.

export type {
  BookingView,
  BusyView,
  CalendarView,
  CardKind,
  CardOption,
  CardView,
  ClashView,
  Code,
  ConnectionView,
  Language as LanguageTag,
  Overview,
  PauseForm,
  Placement,
  PreviewView,
  Problem,
  Refusal,
  Role,
  RunView,
  Schedule,
  Service,
  SpanView,
  State,
  UnblockedView,
  UndoneView,
} from '../generated/bindings'

export { problemWords } from '../generated/bindings'
