//! What a service does not do, and why that is no fault of our connector: one row for each case it is excepted from.

const ONE_VENDOR: &str = "the fake serves one vendor";
const OWN_MODEL: &str = "the fake keeps only what our own model of an event has";
const CANCELLED_IS_DELETED: &str = "on Google, a cancelled event is a deleted one";
const NO_ZONES: &str = "Graph's calendars have no zone, and none is asked of them";
const NEVER_IS_GONE: &str = "Graph says the same of what was deleted as of what never was, and gives no id twice: both count as deleted";
const NO_MOMENTS: &str = "Cyrus takes no event that ends as it begins";
const NO_BIN: &str = "the protocol has no bin";

/// `(service, case, reason)`.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("fake", "a_calendar_of_ours_is_ours_to_no_other_vendor", ONE_VENDOR),
    ("fake", "nobody_is_invited", OWN_MODEL),
    ("fake", "her_colour_survives", OWN_MODEL),
    ("fake", "her_reminder_survives", OWN_MODEL),
    ("fake", "her_guest_survives", OWN_MODEL),
    ("fake", "her_privacy_survives", OWN_MODEL),
    ("fake_giving_ids", "a_calendar_of_ours_is_ours_to_no_other_vendor", ONE_VENDOR),
    ("fake_giving_ids", "nobody_is_invited", OWN_MODEL),
    ("fake_giving_ids", "her_colour_survives", OWN_MODEL),
    ("fake_giving_ids", "her_reminder_survives", OWN_MODEL),
    ("fake_giving_ids", "her_guest_survives", OWN_MODEL),
    ("fake_giving_ids", "her_privacy_survives", OWN_MODEL),
    ("google", "a_cancelled_event_frees_its_time", CANCELLED_IS_DELETED),
    ("outlook", "a_calendar_of_ours_is_told_with_its_zone", NO_ZONES),
    ("outlook", "a_probe_of_what_never_was_finds_nothing", NEVER_IS_GONE),
    ("radicale", "an_event_out_of_the_bin_is_told_again", NO_BIN),
    ("cyrus", "an_event_out_of_the_bin_is_told_again", NO_BIN),
    ("cyrus", "an_event_without_length_is_read_and_blocks_nothing", NO_MOMENTS),
];

/// Why this service is excepted from this case, if it is.
#[must_use]
pub fn of(service: &str, case: &str) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|(who, what, _)| *who == service && *what == case).map(|(_, _, reason)| *reason)
}
