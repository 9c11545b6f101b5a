//! What happens on Bookiji is heard for several vendors of one process at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use companion::desk::News;

use crate::crowd::{Crowd, next, until};

const STREAM: &str = "GET /api/vendor/changes/stream";
/// Within which a booking made online is in the calendar.
const PROMISED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_made_online_is_in_each_vendors_calendar_within_five_seconds() {
    let crowd = Crowd::connected(3, "bookiji_calls_a_minute = 60000", "booking_poll_seconds = 600").await;
    let mut desk = crowd.open();
    let begun = Instant::now();
    loop {
        let requests = crowd.control("GET", "requests", None).await;
        if requests["bookiji"]["routes"][STREAM].as_u64().unwrap_or_default() >= 3 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{requests}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut ran = BTreeSet::new();
    while ran.len() < 3 {
        let told = next(&mut desk).await;
        if matches!(told.what, News::Ran(Ok(_))) {
            ran.insert(told.profile);
        }
    }
    for place in [0, 1, 2, 0] {
        let seat = crowd.seat(place);
        crowd.book(seat).await;
        let begun = Instant::now();
        let created = |news: &News| matches!(news, News::Ran(Ok(report)) if report.bookings.created > 0);
        until(&mut desk, seat.folder(), created).await;
        assert!(begun.elapsed() < PROMISED, "{:?}", begun.elapsed());
    }
    desk.shutdown().await;
    crowd.sandbox.stop().await;
}
