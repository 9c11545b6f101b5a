//! Observe, plan, apply: how bookings and busy time travel. Knows no SQL, HTTP or window.
