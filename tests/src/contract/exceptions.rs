//! What a service does not do, and why that is no fault of our connector: one row for each case it is excepted from.

/// `(service, case, reason)`.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
];

/// Why this service is excepted from this case, if it is.
#[must_use]
pub fn of(service: &str, case: &str) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|(who, what, _)| *who == service && *what == case).map(|(_, _, reason)| *reason)
}
