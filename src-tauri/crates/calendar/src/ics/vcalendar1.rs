//! Translates the recurrence grammar of vCalendar 1.0 (`D1 #10`, `W2 MO WE #0`, `MP1 1+ TU 19971224T000000`) into
//! RRULE. What it cannot translate stays as it is and is refused where it is expanded.

/// Nothing when the text is not of that grammar.
pub fn rule(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace().peekable();
    let first = words.next()?.to_ascii_uppercase();
    let split = first.find(|c: char| c.is_ascii_digit())?;
    let (kind, interval) = first.split_at(split);
    let interval: u32 = interval.parse().ok()?;
    let frequency = match kind {
        "M" => "MINUTELY",
        "D" => "DAILY",
        "W" => "WEEKLY",
        "MD" | "MP" => "MONTHLY",
        "YM" | "YD" => "YEARLY",
        _ => return None,
    };
    let mut out = format!("FREQ={frequency};INTERVAL={interval}");
    let (mut list, mut end) = (Vec::new(), None);
    // `1+ 2- MO` names two Mondays; a position after a weekday begins anew.
    let (mut nth, mut used): (Vec<String>, bool) = (Vec::new(), false);
    for word in words {
        let word = word.to_ascii_uppercase();
        if let Some(count) = word.strip_prefix('#') {
            end = Some(match count.parse::<u32>().ok()? {
                0 => String::new(),
                count => format!(";COUNT={count}"),
            });
        } else if word.len() >= 8 && word.as_bytes()[..8].iter().all(u8::is_ascii_digit) {
            end = Some(format!(";UNTIL={word}"));
        } else {
            match kind {
                "W" if is_weekday(&word) => list.push(word),
                "MP" if is_weekday(&word) => {
                    list.extend(nth.iter().map(|nth| format!("{nth}{word}")));
                    used = true;
                }
                "MP" => {
                    if std::mem::take(&mut used) {
                        nth.clear();
                    }
                    nth.push(position(&word)?);
                }
                "MD" if word == "LD" => list.push("-1".to_owned()),
                "MD" => list.push(position(&word)?),
                "YM" | "YD" => list.push(word.parse::<u32>().ok()?.to_string()),
                _ => return None,
            }
        }
    }
    if !list.is_empty() {
        let part = match kind {
            "W" | "MP" => "BYDAY",
            "MD" => "BYMONTHDAY",
            "YM" => "BYMONTH",
            _ => "BYYEARDAY",
        };
        out.push_str(&format!(";{part}={}", list.join(",")));
    }
    // Said nothing, such a rule repeats twice.
    out.push_str(&end.unwrap_or_else(|| ";COUNT=2".to_owned()));
    Some(out)
}

fn is_weekday(word: &str) -> bool {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].contains(&word)
}

/// `2+` is the second, `1-` the last.
fn position(word: &str) -> Option<String> {
    let (digits, sign) = match word.strip_suffix('-') {
        Some(digits) => (digits, "-"),
        None => (word.strip_suffix('+').unwrap_or(word), ""),
    };
    let number: u32 = digits.parse().ok()?;
    (number > 0 && number <= 366).then(|| format!("{sign}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_grammar_becomes_the_new() {
        let check = |old: &str, new: &str| assert_eq!(rule(old).as_deref(), Some(new), "{old}");
        check("D1 #10", "FREQ=DAILY;INTERVAL=1;COUNT=10");
        check("D2 19971224T000000", "FREQ=DAILY;INTERVAL=2;UNTIL=19971224T000000");
        check("W2 MO WE #0", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE");
        check("MP1 1+ TU 1- FR #5", "FREQ=MONTHLY;INTERVAL=1;BYDAY=1TU,-1FR;COUNT=5");
        check("MP6 1+ 2- MO #5", "FREQ=MONTHLY;INTERVAL=6;BYDAY=1MO,-2MO;COUNT=5");
        check("MD1 1 LD 2- #3", "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=1,-1,-2;COUNT=3");
        check("YM1 6 7 #8", "FREQ=YEARLY;INTERVAL=1;BYMONTH=6,7;COUNT=8");
        check("YD1 1 100", "FREQ=YEARLY;INTERVAL=1;BYYEARDAY=1,100;COUNT=2");
        for other in ["FREQ=DAILY", "D1 0600 #4", "Q1", "", "D"] {
            assert_eq!(rule(other), None, "{other}");
        }
    }
}
