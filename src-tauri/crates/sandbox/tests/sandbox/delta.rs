//! `calendarView/delta` and each of its traps.

use reqwest::Method;
use serde_json::{Value, json};

use crate::outlook::{Graph, escaped, hour, query, text, wall};

const WINDOW: &str = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z";
const ALL: &[(&str, &str)] = &[("prefer", "odata.maxpagesize=1000"), ("prefer", "IdType=\"ImmutableId\"")];

fn delta() -> String {
    format!("/me/calendarView/delta?{WINDOW}")
}

fn weekly(more: Value) -> Value {
    let mut event =
        hour(json!({"recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 4}}}));
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn kinds(told: &[Value]) -> Vec<&str> {
    told.iter().map(|one| one["type"].as_str().unwrap_or("removed")).collect()
}

#[tokio::test]
async fn a_round_ends_with_a_link_and_the_next_tells_what_changed_since() {
    let graph = Graph::new().await;
    let kept = graph.make(hour(json!({}))).await;
    let (told, link) = graph.round(&delta(), &[]).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["id"], &told[0]["subject"]), (&kept["id"], &json!("Booking: Haircut")));
    let (nothing, link) = graph.round(&link, &[]).await;
    assert!(nothing.is_empty());
    let made = graph.make(hour(json!({"subject": "Second"}))).await;
    graph.delete(text(&kept, "id")).await.ok();
    let (told, _) = graph.round(&link, &[]).await;
    assert_eq!(told.len(), 2);
    let of = |id: &Value| told.iter().find(|one| one["id"] == *id).unwrap();
    assert_eq!(of(&made["id"])["subject"], "Second");
    assert_eq!(of(&kept["id"])["@removed"]["reason"], "deleted");
}

#[tokio::test]
async fn query_options_and_a_missing_window_are_refused() {
    let graph = Graph::new().await;
    for option in [
        "$select=subject",
        "$expand=attachments",
        "$filter=subject eq 'x'",
        "$orderby=subject",
        "$search=x",
        "$top=5",
    ] {
        graph.get(&format!("{}&{option}", delta())).await.denied(400, "ErrorInvalidUrlQuery");
    }
    graph.get("/me/calendarView/delta").await.denied(400, "ErrorInvalidParameter");
    let long = "/me/calendarView/delta?startDateTime=2020-01-01T00:00:00Z&endDateTime=2026-01-01T00:00:00Z";
    let refused = graph.get(long).await;
    assert!(refused.text.contains("Maximum number of days: 1825"), "{}", refused.text);
    refused.denied(400, "ErrorInvalidRequest");
    graph.get("/me/events/delta").await.denied(400, "ErrorInvalidRequest");
}

#[tokio::test]
async fn occurrences_carry_times_and_nothing_else_and_the_master_is_not_there() {
    let graph = Graph::new().await;
    let master = graph.make(weekly(json!({"showAs": "free"}))).await;
    let (told, _) = graph.round(&delta(), &[]).await;
    assert_eq!(kinds(&told), ["occurrence"; 4]);
    for one in &told {
        let mut names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["@odata.etag", "@odata.type", "end", "id", "seriesMasterId", "start", "type"]);
        assert_eq!(one["seriesMasterId"], master["id"]);
    }
    // In a view they are whole.
    let view = graph.get(&format!("/me/calendarView?{WINDOW}")).await.ok();
    assert_eq!(
        (&view["value"][0]["showAs"], &view["value"][0]["type"]),
        (&json!("free"), &json!("occurrence"))
    );
    let one = graph.get(&crate::outlook::event_path(text(&told[0], "id"))).await.ok();
    assert_eq!(
        (one["showAs"].as_str(), one["originalStart"].as_str()),
        (Some("free"), Some("2026-12-01T10:00:00.0000000Z"))
    );
}

#[tokio::test]
async fn a_changed_occurrence_sends_the_series_again_and_itself_whole() {
    let graph = Graph::new().await;
    graph.make(weekly(json!({}))).await;
    let (first, link) = graph.round(&delta(), &[]).await;
    let second = text(&first[1], "id");
    let moved = json!({"start": wall("2026-12-09T08:00:00"), "end": wall("2026-12-09T09:00:00"), "showAs": "tentative"});
    let exception = graph.patch(second, moved).await.ok();
    assert_eq!((&exception["type"], &exception["id"]), (&json!("exception"), &first[1]["id"]));
    let (told, link) = graph.round(&link, &[]).await;
    assert_eq!(kinds(&told), ["occurrence", "exception", "occurrence", "occurrence"]);
    assert_eq!(
        (&told[1]["showAs"], &told[1]["originalStart"]),
        (&json!("tentative"), &json!("2026-12-08T10:00:00.0000000Z"))
    );
    graph.delete(text(&first[2], "id")).await.ok();
    let (told, _) = graph.round(&link, &[]).await;
    let removed: Vec<&Value> =
        told.iter().filter(|one| one.get("@removed").is_some()).map(|one| &one["id"]).collect();
    assert_eq!(removed, [&first[2]["id"]]);
}

#[tokio::test]
async fn a_deleted_occurrence_may_be_passed_over_in_silence() {
    let graph = Graph::new().await;
    graph.make(weekly(json!({}))).await;
    let (first, link) = graph.round(&delta(), &[]).await;
    graph.delete(text(&first[2], "id")).await.ok();
    graph.world.fault(json!({"service": "outlook", "kind": "quiet_series", "times": 1})).await;
    let (told, _) = graph.round(&link, &[]).await;
    let ids: Vec<&Value> = told.iter().map(|one| &one["id"]).collect();
    assert_eq!(
        ids,
        [&first[0]["id"], &first[1]["id"], &first[3]["id"]],
        "the series is whole, and that says it"
    );
    let (told, _) = graph.round(&link, &[]).await;
    assert!(told.iter().any(|one| one["id"] == first[2]["id"] && one.get("@removed").is_some()));
}

#[tokio::test]
async fn a_deleted_series_takes_its_occurrences_with_it() {
    let graph = Graph::new().await;
    let master = graph.make(weekly(json!({}))).await;
    let (first, link) = graph.round(&delta(), &[]).await;
    graph.delete(text(&master, "id")).await.ok();
    let (told, _) = graph.round(&link, &[]).await;
    assert_eq!(kinds(&told), ["removed"; 5]);
    assert!(first.iter().all(|one| told.iter().any(|gone| gone["id"] == one["id"])));
}

#[tokio::test]
async fn a_series_that_is_reshaped_says_which_occurrences_are_no_more() {
    let graph = Graph::new().await;
    let master = graph.make(weekly(json!({}))).await;
    let (first, link) = graph.round(&delta(), &[]).await;
    let fewer = json!({"recurrence": {"pattern": {"type": "weekly", "interval": 2, "daysOfWeek": ["tuesday"]},
        "range": {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 2}}});
    graph.patch(text(&master, "id"), fewer).await.ok();
    let (told, _) = graph.round(&link, &[]).await;
    let gone: Vec<&Value> =
        told.iter().filter(|one| one.get("@removed").is_some()).map(|one| &one["id"]).collect();
    assert_eq!(gone, [&first[1]["id"], &first[3]["id"]]);
    assert_eq!(told.len(), 4);
}

#[tokio::test]
async fn what_changes_outside_the_window_is_told_as_removed() {
    let graph = Graph::new().await;
    let inside = graph.make(hour(json!({}))).await;
    let (_, link) = graph.round(&delta(), &[]).await;
    let far = json!({"start": wall("2027-06-01T10:00:00"), "end": wall("2027-06-01T11:00:00")});
    let outside = graph.make(hour(far.clone())).await;
    graph.patch(text(&inside, "id"), far).await.ok();
    let (told, link) = graph.round(&link, &[]).await;
    assert_eq!(kinds(&told), ["removed"; 2]);
    // The window is part of the token: asking for another changes nothing.
    let (told, _) = graph
        .round(&format!("{link}&startDateTime=2027-05-01T00:00:00Z&endDateTime=2027-07-01T00:00:00Z"), &[])
        .await;
    assert!(told.is_empty());
    let never = told.iter().any(|one| one["id"] == outside["id"]);
    assert!(!never);
}

#[tokio::test]
async fn an_item_may_come_twice_over_pages_and_none_is_left_out() {
    let graph = Graph::lived_in().await;
    let (whole, _) = graph.round(&delta(), ALL).await;
    let paged: &[(&str, &str)] = &[("prefer", "odata.maxpagesize=5"), ("prefer", "IdType=\"ImmutableId\"")];
    let (told, _) = graph.round(&delta(), paged).await;
    let unique = |told: &[Value]| {
        told.iter().map(|one| text(one, "id").to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(unique(&whole), unique(&told));
    assert!(told.len() > unique(&told).len(), "something was repeated");
    let page = graph.call(Method::GET, &delta(), paged, None).await;
    assert!(page.headers["preference-applied"].to_str().unwrap().contains("odata.maxpagesize=5"));
    for kind in ["short_page", "duplicate_page", "reordered"] {
        graph.world.fault(json!({"service": "outlook", "kind": kind, "times": 3})).await;
        let (told, _) = graph.round(&delta(), paged).await;
        assert_eq!(unique(&whole), unique(&told), "{kind}");
    }
}

#[tokio::test]
async fn a_lost_token_is_refused_in_several_spellings() {
    let graph = Graph::new().await;
    let (_, link) = graph.round(&delta(), &[]).await;
    graph.world.fault(json!({"service": "outlook", "kind": "cursor_lost", "times": 4})).await;
    for (status, code) in [
        (410, "SyncStateNotFound"),
        (410, "syncStateNotFound"),
        (410, "resyncRequired"),
        (400, "SyncStateNotFound"),
    ] {
        let refused = graph.get(&link).await;
        assert_eq!(refused.headers.contains_key("location"), code == "resyncRequired");
        refused.denied(status, code);
    }
    graph.round(&link, &[]).await;
    graph.get("/me/calendarView/delta?$deltatoken=invented").await.denied(410, "SyncStateNotFound");
    graph.world.advance(29 * 86_400).await;
    let graph = Graph { token: graph.world.microsoft(crate::outlook::SCOPE).await, ..graph };
    assert_eq!(graph.get(&link).await.status, 410);
}

#[tokio::test]
async fn each_calendar_has_rounds_of_its_own() {
    let graph = Graph::new().await;
    let other = graph.post("/me/calendars", json!({"name": "Bookiji"})).await.ok();
    let path = format!("/me/calendars/{}", escaped(text(&other, "id")));
    graph.post(&format!("{path}/events"), hour(json!({}))).await.ok();
    let (told, link) = graph.round(&format!("{path}/calendarView/delta?{WINDOW}"), &[]).await;
    assert_eq!(told.len(), 1);
    let (own, _) = graph.round(&delta(), &[]).await;
    assert!(own.is_empty());
    let token = link.split_once('?').unwrap().1;
    graph.get(&format!("/me/calendarView/delta?{token}")).await.denied(400, "ErrorInvalidSyncStateData");
    graph.edit(json!({"do": "delete_calendar", "calendar": other["id"]})).await;
    graph.get(&link).await.denied(404, "ErrorItemNotFound");
}

#[tokio::test]
async fn times_are_in_the_zone_that_is_preferred_and_days_are_at_midnight_in_every_one() {
    let graph = Graph::new().await;
    graph.make(hour(json!({}))).await;
    graph
        .make(json!({"subject": "Trip", "isAllDay": true,
        "start": {"dateTime": "2026-12-05T00:00:00", "timeZone": "Eastern Standard Time"},
        "end": {"dateTime": "2026-12-07T00:00:00", "timeZone": "Eastern Standard Time"}}))
        .await;
    let starts = async |zone: &str| {
        let prefer = format!("outlook.timezone=\"{zone}\"");
        let (told, _) = graph.round(&delta(), &[("prefer", &prefer)]).await;
        let mut starts: Vec<String> = told
            .iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["start"]["dateTime"].as_str().unwrap(),
                    one["start"]["timeZone"].as_str().unwrap()
                )
            })
            .collect();
        starts.sort();
        starts
    };
    assert_eq!(starts("UTC").await, ["2026-12-01T10:00:00.0000000 UTC", "2026-12-05T00:00:00.0000000 UTC"]);
    assert_eq!(
        starts("Tokyo Standard Time").await,
        [
            "2026-12-01T19:00:00.0000000 Tokyo Standard Time",
            "2026-12-05T00:00:00.0000000 Tokyo Standard Time"
        ]
    );
    let unknown =
        query(&[("startDateTime", "2026-11-01T00:00:00Z"), ("endDateTime", "2026-12-01T00:00:00Z")]);
    let call = graph
        .call(
            Method::GET,
            &format!("/me/calendarView/delta?{unknown}"),
            &[("prefer", "outlook.timezone=\"America/Toronto\"")],
            None,
        )
        .await;
    call.denied(400, "TimeZoneNotSupportedException");
}
