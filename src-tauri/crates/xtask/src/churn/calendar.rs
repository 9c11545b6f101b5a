//! What the script writes into files: calendars with one event each, and what is none.

/// The days that all events lie in, for `companion busy`, wherever the vendor is.
pub const FROM: &str = "2030-12-30";
pub const TO: &str = "2032-01-01";

/// Events a day, ten minutes apart.
const A_DAY: u32 = 144;

/// The UID of a good file's event, and the mark in a bad one. Found in a file wherever it lies.
pub fn mark(number: u32) -> String {
    format!("churn-{number:06}@bookiji.example")
}

/// The marks in a text, as often as they stand there.
pub fn marks(text: &str) -> Vec<u32> {
    text.match_indices("churn-")
        .filter_map(|(at, _)| {
            let rest = &text[at + "churn-".len()..];
            let digits = rest.get(..6)?;
            rest[6..].starts_with("@bookiji.example").then(|| digits.parse().ok())?
        })
        .collect()
}

/// A calendar with one event that blocks its own ten minutes.
pub fn good(number: u32, padding: usize) -> String {
    let (day, slot) = (number / A_DAY, number % A_DAY);
    // Months of 28 days: every date is one, without a table.
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    let time = |minutes: u32| format!("2031{month:02}{day:02}T{:02}{:02}00Z", minutes / 60, minutes % 60);
    let filling: String = (0..padding).map(|n| format!("X-FILLING:{n:060}\r\n")).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//churn//EN\r\n{filling}BEGIN:VEVENT\r\nUID:{}\r\n\
         DTSTAMP:20260101T000000Z\r\nDTSTART:{}\r\nDTEND:{}\r\nSUMMARY:Churned\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        mark(number),
        time(slot * 10),
        time(slot * 10 + 5),
    )
}

/// Something that is no calendar, and under which name.
pub fn bad(number: u32, kind: u32) -> (String, &'static str) {
    let mark = mark(number);
    match kind % 5 {
        0 => {
            (format!("<!DOCTYPE html><html><head><title>Sign in</title></head><!-- {mark} --></html>"), "ics")
        }
        1 => (format!("PK\u{3}\u{4}\u{14}\0\0\0 {mark}"), "zip"),
        2 => (format!("\u{7f}ELF\u{2}\u{1}\u{1} {mark}"), "ics"),
        3 => (format!("name,start,end\n{mark},9,10\n"), "csv"),
        _ => (format!("%PDF-1.7 {mark}"), "pdf"),
    }
}
