//! Services that lie, each in one way, and what becomes of it: survived, because nothing that our connector says is wrong for
//! it; or found out, by the cases that a service like that cannot keep. What is found out here, the engine must expect.

/// One way to lie.
pub struct Lie {
    /// As the sandbox's faults name it.
    pub kind: &'static str,
    /// Cases that are told this lie, with the services whose lie they find out. The others survive it.
    pub cases: &'static [(&'static str, &'static [&'static str])],
}

const NOBODY: &[&str] = &[];
const ALL: &[&str] = &["google", "outlook", "radicale", "cyrus"];
const CLOUD: &[&str] = &["google", "outlook"];

pub const LIES: &[Lie] = &[
    // CalDAV looks at a file before it changes it, since it changes it line by line. Nothing helps where a deletion is done
    // whatever was asked: the engine plans none from a version that it has not just read.
    Lie {
        kind: "ignores_precondition",
        cases: &[
            ("a_change_at_an_older_version_is_refused_and_changes_nothing", CLOUD),
            ("of_two_changes_at_one_version_the_first_is_done", CLOUD),
            ("a_deletion_at_an_older_version_is_refused_and_deletes_nothing", ALL),
            ("a_change_without_a_version_is_refused", CLOUD),
            ("an_event_is_deleted_at_the_version_that_was_seen", NOBODY),
            ("the_same_create_again_makes_no_second_event", NOBODY),
        ],
    },
    // An event is still known by its key. Outlook finds what a create led to by the marker alone, and remembers the key, so
    // that nothing is made twice.
    Lie {
        kind: "drops_marker",
        cases: &[
            ("a_booking_stands_under_its_key_at_its_time", NOBODY),
            ("the_key_survives_every_change", &["outlook"]),
            ("the_same_create_again_makes_no_second_event", NOBODY),
            ("the_marker_survives_every_change", ALL),
        ],
    },
    Lie {
        kind: "short_page",
        cases: &[
            ("what_was_created_is_read_as_it_was_answered", NOBODY),
            ("ten_bookings_are_ten_events", NOBODY),
            ("cursor_after_cursor_leads_to_what_a_new_reading_tells", NOBODY),
        ],
    },
    Lie {
        kind: "duplicate_page",
        cases: &[
            ("ten_bookings_are_ten_events", NOBODY),
            ("a_new_event_is_told_alone", NOBODY),
            ("an_event_she_deleted_is_told_by_its_id", NOBODY),
            ("two_lists_say_the_same", NOBODY),
        ],
    },
    Lie {
        kind: "reordered",
        cases: &[
            ("ten_bookings_are_ten_events", NOBODY),
            ("cursor_after_cursor_leads_to_what_a_new_reading_tells", NOBODY),
            ("an_occurrence_she_moves_is_told_by_a_cursor", NOBODY),
        ],
    },
    // A whole list with nothing in it says that nothing is there. The engine's brake stands before what follows from it.
    Lie {
        kind: "empty_listing",
        cases: &[
            ("what_was_created_is_read_as_it_was_answered", ALL),
            ("ten_bookings_are_ten_events", ALL),
            ("a_probe_sees_our_last_change_at_once", NOBODY),
        ],
    },
];
