//! An event as Graph tells it, whole or in the few words that a delta has for an occurrence.

use serde_json::{Map, Value, json};

use super::moment::stamp;
use super::occurrence::{Kind, Placed};
use super::prefer::Prefer;
use super::world::{Mailbox, etag};

/// Everything about it.
#[must_use]
pub fn tell(placed: &Placed, mailbox: &Mailbox, account: &str, prefer: &Prefer) -> Map<String, Value> {
    let item = placed.item;
    let key = placed.change_key();
    let id = placed.id(prefer.immutable_ids);
    let mut told = Map::new();
    let mut put = |name: &str, value: Value| {
        told.insert(name.to_owned(), value);
    };
    put("@odata.etag", json!(etag(&key)));
    put("id", json!(id));
    put("createdDateTime", json!(stamp(item.created)));
    put("lastModifiedDateTime", json!(stamp(item.modified)));
    put("changeKey", json!(key));
    put("categories", json!([]));
    put("originalStartTimeZone", json!(item.start.zone));
    put("originalEndTimeZone", json!(item.end.zone));
    // Each occurrence has an identity of its own, unlike in iCalendar.
    let uid = placed
        .original
        .map_or_else(|| item.uid.clone(), |original| format!("{}{:08X}", item.uid, original.as_second()));
    put("iCalUId", json!(uid));
    put("reminderMinutesBeforeStart", json!(15));
    put("isReminderOn", json!(true));
    put("hasAttachments", json!(false));
    put("subject", json!(""));
    put("importance", json!("normal"));
    put("sensitivity", json!("normal"));
    put("isAllDay", json!(item.all_day));
    put("isCancelled", json!(false));
    put("isOrganizer", json!(true));
    put("responseRequested", json!(true));
    put(
        "seriesMasterId",
        placed.master.map_or(Value::Null, |master| json!(master.id(None, prefer.immutable_ids))),
    );
    put("showAs", json!("busy"));
    put("type", json!(placed.kind.as_str()));
    put(
        "webLink",
        json!(format!(
            "https://outlook.office365.com/owa/?itemid={}&exvsurl=1&path=/calendar/item",
            escaped(&id)
        )),
    );
    put("onlineMeetingUrl", Value::Null);
    put("isOnlineMeeting", json!(false));
    put("onlineMeetingProvider", json!("unknown"));
    put("allowNewTimeProposals", json!(true));
    put("isDraft", json!(false));
    put("hideAttendees", json!(false));
    put("responseStatus", json!({"response": "organizer", "time": "0001-01-01T00:00:00Z"}));
    put(
        "location",
        json!({"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}}),
    );
    put("locations", json!([]));
    put("attendees", json!([]));
    put("organizer", json!({"emailAddress": {"name": mailbox.name, "address": account}}));
    put("onlineMeeting", Value::Null);
    for (name, value) in &item.fields {
        told.insert(name.clone(), value.clone());
    }
    let mut put = |name: &str, value: Value| {
        told.insert(name.to_owned(), value);
    };
    let (body, preview) = body(item.fields.get("body"), prefer.text_bodies);
    put("body", body);
    put("bodyPreview", json!(preview));
    put("start", placed.start.told(item.all_day, &prefer.zone));
    put("end", placed.end.told(item.all_day, &prefer.zone));
    put(
        "recurrence",
        match (placed.kind, &item.recurrence) {
            (Kind::Master, Some(recurrence)) => recurrence.as_json(),
            (Kind::Single | Kind::Master | Kind::Occurrence | Kind::Exception, _) => Value::Null,
        },
    );
    if let Some(transaction) = &item.transaction {
        put("transactionId", json!(transaction));
    }
    if let Some(original) = placed.original {
        put("originalStart", json!(stamp(original)));
    }
    told
}

/// What a delta has to say: of an occurrence nothing but its time, whatever else one would like to know.
#[must_use]
pub fn tell_change(placed: &Placed, mailbox: &Mailbox, account: &str, prefer: &Prefer) -> Map<String, Value> {
    let mut told = tell(placed, mailbox, account, prefer);
    if placed.kind == Kind::Occurrence {
        const SAID: [&str; 6] = ["@odata.etag", "seriesMasterId", "type", "id", "start", "end"];
        told.retain(|name, _| SAID.contains(&name.as_str()));
    }
    told.insert("@odata.type".to_owned(), json!("#microsoft.graph.event"));
    told
}

/// Stored text comes back as a page unless text is preferred.
fn body(stored: Option<&Value>, text: bool) -> (Value, String) {
    let part =
        |name: &str| stored.and_then(|body| body.get(name)).and_then(Value::as_str).unwrap_or_default();
    let (kind, content) = (part("contentType"), part("content"));
    let plain = if kind == "html" { stripped(content) } else { content.to_owned() };
    let preview: String = plain.trim().chars().take(255).collect();
    let told = match (text, kind) {
        (true, _) => json!({"contentType": "text", "content": plain}),
        (false, "html") => json!({"contentType": "html", "content": content}),
        (false, _) if content.is_empty() => json!({"contentType": "html", "content": ""}),
        (false, _) => {
            let lines = escaped_html(content).replace("\r\n", "\n").replace('\n', "<br>\r\n");
            let page = format!(
                "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>\r\n<div class=\"PlainText\">{lines}</div>\r\n</body></html>\r\n"
            );
            json!({"contentType": "html", "content": page})
        }
    };
    (told, preview)
}

fn stripped(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn escaped_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[must_use]
pub fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
