//! `calendarView/delta`: what changed in a window that is frozen into the token.
//!
//! A round goes over the items of a calendar by key, so that pages hold while others write. A series is told whole or not
//! at all, and never over two pages. From the second page on, the last single event of the page before comes again.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::calendars::gone;
use super::event::{escaped, tell_change};
use super::occurrence::of_item;
use super::options::{LONGEST_PAGE, PAGE};
use super::refusal::Refusal;
use super::scopes::{Action, Caller, admit};
use super::view::{applied, context, window};
use super::world::{Calendar, Item, Mailbox};
use crate::app::App;
use crate::faults::Quirk;
use crate::google::token::{open, seal};
use crate::wire::Call;

/// How long a token is remembered.
const TOKEN_S: i64 = 28 * 86_400;
const REFUSED: [&str; 7] = ["$select", "$expand", "$filter", "$orderby", "$search", "$top", "$skip"];

/// Everything that a link stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    calendar: String,
    from: Timestamp,
    to: Timestamp,
    /// The change up to which the client knows; nothing in the first round.
    since: Option<u64>,
    /// The change that this round is as of.
    as_of: u64,
    /// The key of the last item that was told in this round.
    after: String,
    issued_s: i64,
}

pub async fn round(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    let caller = admit(&app, &call, Action::ReadCalendars)?;
    gone(&app, &call)?;
    if call.query.iter().any(|(name, _)| REFUSED.contains(&name.to_lowercase().as_str())) {
        return Err(Refusal::invalid_query(
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: '$orderby, $filter, $select, $expand, $search, $top'.",
        ));
    }
    let skip = call.query("$skiptoken");
    let word = skip.or(call.query("$deltatoken")).filter(|word| !word.is_empty());
    let lost = word.is_some() && app.misbehaves(&call, Quirk::CursorLost);
    let bent = Bent {
        short: app.misbehaves(&call, Quirk::ShortPage),
        duplicate: skip.is_some() && app.misbehaves(&call, Quirk::DuplicatePage),
        reordered: app.misbehaves(&call, Quirk::Reordered),
        empty: app.misbehaves(&call, Quirk::EmptyListing),
        quiet: word.is_some() && app.misbehaves(&call, Quirk::QuietSeries),
    };
    let now = app.clock().now();
    let world = &mut *app.world();
    let changes = world.outlook.changes;
    let mailbox = world.outlook.mailbox(&caller.account)?;
    let calendar = mailbox.calendar(call.param("calendar"))?;
    let token = match word {
        None => {
            let (from, to) = window(&call)?;
            Token {
                calendar: calendar.id.clone(),
                from,
                to,
                since: None,
                as_of: changes,
                after: String::new(),
                issued_s: now.as_second(),
            }
        }
        Some(word) => {
            let known = open::<Token>(word).filter(|token| {
                !lost && token.as_of <= changes && now.as_second() - token.issued_s < TOKEN_S
            });
            match known {
                Some(token) if token.calendar == calendar.id => {
                    // A new round begins where the last one ended.
                    let fresh = skip.is_none();
                    Token { as_of: if fresh { changes } else { token.as_of }, ..token }
                }
                Some(_) => {
                    return Err(Refusal::new(
                        400,
                        "ErrorInvalidSyncStateData",
                        "The sync state data is invalid.",
                    ));
                }
                None => {
                    world.outlook.lost += 1;
                    return Err(forgotten(&call, world.outlook.lost));
                }
            }
        }
    };
    let size = caller.prefer.page_size.unwrap_or(PAGE).min(LONGEST_PAGE);
    let page = page(&token, calendar, mailbox, &caller, size, bent);
    let next = Token { after: page.after.unwrap_or_default(), issued_s: now.as_second(), ..token };
    let (name, parameter, next) = if next.after.is_empty() {
        ("@odata.deltaLink", "$deltatoken", Token { since: Some(next.as_of), ..next })
    } else {
        ("@odata.nextLink", "$skiptoken", next)
    };
    let host = call.header("host").unwrap_or("localhost");
    let link = format!("http://{host}{}?{parameter}={}", call.path, escaped(&seal(&next)));
    let body =
        json!({"@odata.context": context(&call, "Collection(event)"), name: link, "value": page.items});
    let mut prefer = caller.prefer.clone();
    prefer.applied.push("odata.track-changes".to_owned());
    Ok(applied(Json(body).into_response(), &prefer))
}

/// On events, Graph tracks no changes.
pub async fn unsupported(State(app): State<App>, call: Call) -> Result<Response, Refusal> {
    admit(&app, &call, Action::ReadCalendars)?;
    Err(Refusal::new(
        400,
        "ErrorInvalidRequest",
        "Unsupported request: Change tracking is not supported against 'microsoft.graph.event'.",
    ))
}

/// The spellings of a token that nobody remembers, by turns.
fn forgotten(call: &Call, times: u64) -> Refusal {
    const MESSAGE: &str = "The sync state generation is not found; it may have been deleted.";
    match times % 4 {
        1 => Refusal::new(410, "SyncStateNotFound", MESSAGE),
        2 => Refusal::new(410, "syncStateNotFound", MESSAGE),
        3 => {
            let host = call.header("host").unwrap_or("localhost");
            let again = format!("http://{host}{}?$deltatoken=", call.path);
            Refusal::new(410, "resyncRequired", "Resync required.").at(again)
        }
        _ => Refusal::new(400, "SyncStateNotFound", MESSAGE),
    }
}

/// How a page is bent on purpose.
#[derive(Clone, Copy, Debug)]
struct Bent {
    short: bool,
    duplicate: bool,
    reordered: bool,
    empty: bool,
    quiet: bool,
}

struct Page {
    items: Vec<Map<String, Value>>,
    /// Where the next page goes on, if there is one.
    after: Option<String>,
}

fn page(
    token: &Token,
    calendar: &Calendar,
    mailbox: &Mailbox,
    caller: &Caller,
    size: usize,
    bent: Bent,
) -> Page {
    if bent.empty {
        return Page { items: Vec::new(), after: None };
    }
    let told = |item: &Item| changes_of(token, item, mailbox, caller, bent.quiet);
    let mut items: Vec<Map<String, Value>> = Vec::new();
    let (mut last, mut again) = (token.after.clone(), None);
    let size = match (bent.short, token.after.is_empty()) {
        (false, _) => size,
        // The first page of a short round has nothing at all on it.
        (true, true) => 0,
        (true, false) => 2.min(size),
    };
    let mut rest = calendar
        .events
        .range::<String, _>((std::ops::Bound::Excluded(&token.after), std::ops::Bound::Unbounded));
    let mut more = false;
    for (key, item) in rest.by_ref() {
        let events = told(item);
        if events.is_empty() {
            continue;
        }
        if items.len() >= size || (!items.is_empty() && items.len() + events.len() > size) {
            more = true;
            break;
        }
        last.clone_from(key);
        items.extend(events);
    }
    if more && last.is_empty() {
        // Before every key, and yet not the beginning.
        " ".clone_into(&mut last);
    }
    if let Some(item) = calendar.events.get(&token.after) {
        let single = item.recurrence.is_none() || bent.duplicate;
        again = single.then(|| told(item));
    }
    let mut shown = again.unwrap_or_default();
    shown.extend(items);
    if bent.reordered {
        shown.reverse();
    }
    Page { items: shown, after: more.then_some(last) }
}

/// What a round says of one item.
fn changes_of(
    token: &Token,
    item: &Item,
    mailbox: &Mailbox,
    caller: &Caller,
    quiet: bool,
) -> Vec<Map<String, Value>> {
    let immutable = caller.prefer.immutable_ids;
    let zone = mailbox.zone();
    let removed = |id: String| {
        let mut told = Map::new();
        told.insert("@odata.type".to_owned(), json!("#microsoft.graph.event"));
        told.insert("id".to_owned(), json!(id));
        told.insert("@removed".to_owned(), json!({"reason": "deleted"}));
        told
    };
    let Some(since) = token.since else {
        if item.deleted {
            return Vec::new();
        }
        let placed = of_item(item, &zone, token.from, token.to);
        return placed.iter().map(|one| tell_change(one, mailbox, &caller.account, &caller.prefer)).collect();
    };
    if item.changed <= since {
        return Vec::new();
    }
    let gone = |second: &i64| {
        Timestamp::from_second(*second).ok().map(|original| removed(item.id(Some(original), immutable)))
    };
    if item.deleted {
        let mut told = vec![removed(item.id(None, immutable))];
        if item.recurrence.is_some() {
            let live = Item { deleted: false, ..item.clone() };
            let placed = of_item(&live, &zone, token.from, token.to);
            told.extend(
                placed
                    .iter()
                    .filter_map(|one| one.original)
                    .map(|original| removed(item.id(Some(original), immutable))),
            );
        }
        return told;
    }
    let placed = of_item(item, &zone, token.from, token.to);
    let mut told: Vec<Map<String, Value>> =
        placed.iter().map(|one| tell_change(one, mailbox, &caller.account, &caller.prefer)).collect();
    if item.recurrence.is_none() && placed.is_empty() {
        // Also of what was never in the window.
        told.push(removed(item.id(None, immutable)));
    }
    if quiet && item.recurrence.is_some() {
        return told;
    }
    told.extend(
        item.cancelled
            .iter()
            .chain(&item.vanished)
            .filter(|(_, changed)| **changed > since)
            .filter_map(|(second, _)| gone(second)),
    );
    // An exception that left the window.
    let outside = item.exceptions.iter().filter(|(second, one)| {
        one.changed > since
            && placed.iter().all(|other| other.original.map(Timestamp::as_second) != Some(**second))
    });
    told.extend(outside.filter_map(|(second, _)| gone(second)));
    told
}
