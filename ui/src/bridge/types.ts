// The shapes that cross from the app, under the names the window uses. They are generated: see `generated/`.

export type {
  BookingView,
  BusyView,
  CalendarView,
  ClashView,
  Code,
  ConnectionView,
  Overview,
  Placement,
  Problem,
  Refusal,
  Role,
  RunView,
  Schedule,
  Service,
  State,
} from '../generated/bindings'
