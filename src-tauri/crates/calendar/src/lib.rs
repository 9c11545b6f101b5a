//! The field's words and truths: events, recurrence, zones, busy time, iCalendar. Pure.
