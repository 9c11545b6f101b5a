//! Calendar feeds without a sign-in: the school's, as a school would publish it.

use std::collections::BTreeMap;

use super::Week;
use crate::feeds::Feed;

pub fn feeds(week: &Week) -> BTreeMap<String, Feed> {
    BTreeMap::from([("school.ics".to_owned(), Feed { text: school(week), changed_at: week.at(-6, 0, 8, 0) })])
}

fn school(week: &Week) -> String {
    let zone = week.zone.iana_name().unwrap_or("UTC").to_owned();
    let stamp = week.at(-6, 0, 8, 0).strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = |weeks, weekday| week.day(weeks, weekday).strftime("%Y%m%d").to_string();
    let utc = |at: jiff::Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//École des Érables//Agenda//FR".to_owned(),
        "CALSCALE:GREGORIAN".to_owned(),
        "X-WR-CALNAME:École des Érables".to_owned(),
        format!("X-WR-TIMEZONE:{zone}"),
    ];
    let mut event = |uid: &str, summary: &str, more: &[String]| {
        lines.push("BEGIN:VEVENT".to_owned());
        lines.push(format!("UID:{uid}@erables.example"));
        lines.push(format!("DTSTAMP:{stamp}"));
        lines.push(format!("SUMMARY:{summary}"));
        lines.extend_from_slice(more);
        lines.push("END:VEVENT".to_owned());
    };
    event(
        "council",
        "Conseil d'établissement",
        &[
            format!("DTSTART;TZID={zone}:{}T183000", day(-8, 2)),
            format!("DTEND;TZID={zone}:{}T203000", day(-8, 2)),
            "RRULE:FREQ=WEEKLY;INTERVAL=4".to_owned(),
        ],
    );
    event(
        "meeting",
        "Rencontre de parents\\, 2e étape",
        &[
            format!("DTSTART:{}", utc(week.at(2, 3, 16, 0))),
            format!("DTEND:{}", utc(week.at(2, 3, 17, 30))),
            "DESCRIPTION:Sur rendez-vous. Les enseignantes vous reçoivent à tour de rôle da".to_owned(),
            " ns la grande salle.".to_owned(),
        ],
    );
    event(
        "break",
        "Relâche",
        &[
            format!("DTSTART;VALUE=DATE:{}", day(4, 0)),
            format!("DTEND;VALUE=DATE:{}", day(4, 5)),
            "TRANSP:TRANSPARENT".to_owned(),
        ],
    );
    event(
        "photo",
        "Photo scolaire",
        &[
            format!("DTSTART:{}", utc(week.at(1, 2, 9, 0))),
            "DURATION:PT45M".to_owned(),
            "STATUS:TENTATIVE".to_owned(),
        ],
    );
    lines.push("END:VCALENDAR".to_owned());
    lines.push(String::new());
    lines.join("\r\n")
}
