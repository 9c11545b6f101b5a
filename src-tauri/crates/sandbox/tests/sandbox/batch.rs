//! Several Google calls in one request.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Call, World};

const BATCH: &str = "/google/batch/calendar/v3";

fn insert(id: &str) -> String {
    let body = json!({"id": id, "start": {"dateTime": "2027-02-02T10:00:00Z"},
        "end": {"dateTime": "2027-02-02T11:00:00Z"}});
    format!(
        "POST /google/calendar/v3/calendars/primary/events HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}"
    )
}

async fn send(world: &World, bearer: &str, calls: &[String]) -> Answer {
    let parts = calls.iter().enumerate().map(|(at, call)| {
        format!("--b\r\nContent-Type: application/http\r\nContent-ID: <c{at}>\r\n\r\n{call}\r\n")
    });
    raw(world, bearer, "multipart/mixed; boundary=b", &(parts.collect::<String>() + "--b--\r\n")).await
}

async fn raw(world: &World, bearer: &str, kind: &str, text: &str) -> Answer {
    world.call(Method::POST, BATCH, Call::by(bearer).header("content-type", kind).text(text)).await
}

/// The answers in the order of their calls: status and body; nothing where a part is missing.
fn told(answer: &Answer, calls: usize) -> Vec<Option<(u16, Value)>> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    (0..calls)
        .map(|at| {
            let (_, rest) = answer.text.split_once(&format!("Content-ID: <response-c{at}>\r\n"))?;
            let (_, status) = rest.split_once("HTTP/1.1 ")?;
            let (_, body) = status.split_once("\r\n\r\n")?;
            let body = body.lines().next().unwrap_or_default();
            Some((status[..3].parse().unwrap(), serde_json::from_str(body).unwrap_or_default()))
        })
        .collect()
}

fn statuses(answer: &Answer, calls: usize) -> Vec<Option<u16>> {
    told(answer, calls).into_iter().map(|one| one.map(|(status, _)| status)).collect()
}

#[tokio::test]
async fn each_call_of_a_batch_is_answered_for_itself_and_counted_with_it() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let calls = [
        insert("batch0000000001"),
        insert("with-hyphen"),
        insert("batch0000000001"),
        "GET /google/calendar/v3/calendars/primary/events/batch0000000001 HTTP/1.1\r\n".to_owned(),
        "GET /bookiji/api/vendor/bookings HTTP/1.1\r\n".to_owned(),
    ];
    let answer = send(&world, &token, &calls).await;
    assert_eq!(
        statuses(&answer, 5),
        [Some(200), Some(400), Some(409), Some(200), Some(404)],
        "{}",
        answer.text
    );
    assert_eq!(told(&answer, 5)[0].as_ref().unwrap().1["id"], "batch0000000001");
    let last = answer.text.find("response-c4").unwrap();
    assert!(last < answer.text.find("response-c0").unwrap(), "their order promises nothing");
    let routes = &world.requests().await["google"]["routes"];
    assert_eq!(routes, &json!({"POST /batch/calendar/v3": 1}));
}

#[tokio::test]
async fn a_batch_is_as_strict_as_its_calls_about_who_asks() {
    let world = World::new().await;
    let narrow = world.google(&["calendar.app.created"]).await;
    assert_eq!(statuses(&send(&world, &narrow, &[insert("batch0000000001")]).await, 1), [Some(404)]);
    assert_eq!(statuses(&send(&world, "nobody", &[insert("batch0000000001")]).await, 1), [Some(401)]);
}

#[tokio::test]
async fn what_is_no_batch_or_too_large_a_one_is_refused_whole() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let calls: Vec<String> = (0..51).map(|n| insert(&format!("batch{n:010}"))).collect();
    send(&world, &token, &calls).await.refused(400, "badRequest");
    assert_eq!(statuses(&send(&world, &token, &calls[..50]).await, 50), vec![Some(200); 50]);
    for (kind, text) in [
        ("application/json", "{}"),
        ("multipart/mixed", "--b--"),
        ("multipart/mixed; boundary=b", "--b\r\n\r\nGET / HTTP/1.1\r\n\r\n--b--"),
        (
            "multipart/mixed; boundary=b",
            "--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ),
        (
            "multipart/mixed; boundary=b",
            "--b\r\nContent-Type: application/http\r\n\r\nGET https://x/ HTTP/1.1\r\n\r\n--b--",
        ),
    ] {
        raw(&world, &token, kind, text).await.refused(400, "badRequest");
    }
}

#[tokio::test]
async fn a_fault_meets_one_call_of_a_batch_or_the_whole_of_it() {
    let world = World::new().await;
    let token = world.google(&["calendar"]).await;
    let route = "POST /calendar/v3/calendars/{calendarId}/events";
    for kind in ["rate_limited", "status:403:quotaExceeded", "reply_lost", "reset"] {
        world.fault(json!({"service": "google", "route": route, "kind": kind, "times": 1})).await;
    }
    // All four meet the first call: a refusal comes before the rest.
    let calls: Vec<String> = (0..2).map(|n| insert(&format!("batch{n:010}"))).collect();
    assert_eq!(statuses(&send(&world, &token, &calls).await, 2), [Some(429), Some(200)]);
    world.fault(json!({"service": "google", "route": route, "kind": "reply_lost", "times": 1})).await;
    let calls = [insert("batch0000000007"), insert("batch0000000008")];
    assert_eq!(statuses(&send(&world, &token, &calls).await, 2), [None, Some(200)]);
    let again = send(&world, &token, &calls[..1]).await;
    assert_eq!(statuses(&again, 1), [Some(409)], "it was done, and its answer lost");
    world.fault(json!({"service": "google", "route": "POST /batch/calendar/v3", "kind": "status:503", "times": 1})).await;
    assert_eq!(send(&world, &token, &calls).await.status, 503);
}
