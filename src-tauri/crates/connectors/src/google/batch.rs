//! Several calls inside one request (provider notes A7): how they are put into it, and which part of the answer is whose.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sync::error::ServiceError;

use super::{Api, refusal};
use crate::http::{Answer, Method, Peer, Request, StatusCode, garbled};

/// The newer documentation allows a thousand, the older fifty.
pub(super) const CALLS: usize = 50;

const BOUNDARY: &str = "bookiji-companion-part";
/// More parts than calls are no answer to them.
const PARTS: usize = 2 * CALLS;

impl Api {
    /// Sends all of them at once, and answers for each in their order. A sign-in that only the calls refuse is renewed
    /// once, for those alone.
    pub(super) async fn send_together(&self, calls: Vec<Request>) -> Vec<Result<Answer, ServiceError>> {
        let refused = match self.signed.tokens.access().await {
            Ok(token) => token,
            Err(error) => return calls.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut answers = self.exchange(&calls).await;
        let again: Vec<usize> = answers
            .iter()
            .enumerate()
            .filter(|(_, answer)| {
                answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::UNAUTHORIZED)
            })
            .map(|(at, _)| at)
            .collect();
        if !again.is_empty() && self.signed.tokens.replace(&refused).await.is_ok() {
            let calls: Vec<Request> = again.iter().map(|at| calls[*at].clone()).collect();
            for (at, answer) in again.into_iter().zip(self.exchange(&calls).await) {
                answers[at] = answer;
            }
        }
        let pauses = answers.iter().flatten().filter_map(refusal::account_pause);
        if let (Some(wait), Some(budget)) = (pauses.max(), &self.budget) {
            budget.hold(wait);
        }
        answers
    }

    async fn exchange(&self, calls: &[Request]) -> Vec<Result<Answer, ServiceError>> {
        let all = |error: ServiceError| calls.iter().map(|_| Err(error.clone())).collect();
        let route = "/batch/calendar/v3";
        let request =
            Request::new(Peer::Google, Method::POST, route, self.base.at(&["batch", "calendar", "v3"]))
                .multipart(&format!("multipart/mixed; boundary={BOUNDARY}"), body(calls))
                .standing_for(calls.len());
        let answer = match self.send(request).await {
            Ok(answer) if answer.status.is_success() => answer,
            Ok(answer) => return all(refusal::error(&answer)),
            Err(error) => return all(error),
        };
        let mut parts = match parts(&answer) {
            Ok(parts) => parts,
            Err(reason) => return all(nonsense(reason)),
        };
        (0..calls.len())
            .map(|at| match parts.remove(&at) {
                Some(Some(part)) => Ok(part),
                Some(None) => Err(nonsense("one call is answered in two ways")),
                None => Err(nonsense("one call is not answered")),
            })
            .collect()
    }
}

fn nonsense(reason: &str) -> ServiceError {
    garbled(Peer::Google, reason)
}

fn body(calls: &[Request]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let head =
            format!("--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <call-{at}>\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&call.written_out());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The answers by the number of their call, in whatever order they came; nothing where there are two that differ.
fn parts(answer: &Answer) -> Result<BTreeMap<usize, Option<Answer>>, &'static str> {
    let boundary = answer.header("content-type").and_then(boundary).ok_or("it is not in parts")?;
    let mut parts: BTreeMap<usize, Option<Answer>> = BTreeMap::new();
    for part in split(answer.body(), &boundary)? {
        let Some((at, part)) = read(answer, part) else { continue };
        parts
            .entry(at)
            .and_modify(|first| {
                let same = first
                    .as_ref()
                    .is_some_and(|first| first.status == part.status && first.body() == part.body());
                if !same {
                    *first = None;
                }
            })
            .or_insert(Some(part));
    }
    Ok(parts)
}

fn boundary(kind: &str) -> Option<String> {
    let mut words = kind.split(';');
    let essence = words.next()?.trim();
    if !essence.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = words.find_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!value.is_empty() && value.len() <= 200).then_some(value)
}

/// What stands between the boundaries. Without the last of them, nothing proves that the answer is whole.
fn split<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, &'static str> {
    let line = format!("--{boundary}");
    let mut rest = after_line(body, line.as_bytes()).ok_or("it has no parts")?.1;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        let (part, next) = after_line(rest, line.as_bytes()).ok_or("it ends without saying so")?;
        if parts.len() == PARTS {
            return Err("it has more parts than calls were made");
        }
        parts.push(part);
        rest = next;
    }
}

/// What stands before the next line that begins so, and after its beginning.
fn after_line<'a>(text: &'a [u8], line: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + text[from..].windows(line.len()).position(|window| window == line)?;
        if at == 0 || text[at - 1] == b'\n' {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        from = at + 1;
    }
}

/// One part: the number of its call, and the answer inside.
fn read(whole: &Answer, part: &[u8]) -> Option<(usize, Answer)> {
    let (about, inside) = head(part)?;
    let id = about.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-id"))?;
    let at =
        id.1.trim_start_matches('<').trim_end_matches('>').strip_prefix("response-call-")?.parse().ok()?;
    let inside = inside.trim_ascii_start();
    let end = inside.iter().position(|byte| *byte == b'\n')?;
    let status = std::str::from_utf8(&inside[..end]).ok()?;
    let code = status.strip_prefix("HTTP/")?.split_whitespace().nth(1)?.parse::<u16>().ok()?;
    let status = StatusCode::from_u16(code).ok()?;
    let (fields, body) = head(&inside[end + 1..])?;
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    Some((at, Answer::part(whole, status, headers, body.trim_ascii_end().to_vec())))
}

type Fields<'a> = Vec<(&'a str, &'a str)>;

/// Header lines up to the empty one, and what follows.
fn head(text: &[u8]) -> Option<(Fields<'_>, &[u8])> {
    let mut fields = Vec::new();
    let mut rest = text.strip_prefix(b"\r\n").or_else(|| text.strip_prefix(b"\n")).unwrap_or(text);
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = std::str::from_utf8(&rest[..end]).ok()?.trim_end_matches('\r');
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            return Some((fields, rest));
        }
        let (name, value) = line.split_once(':')?;
        fields.push((name.trim(), value.trim()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/mixed; boundary=\"b_1\"";

    fn answer(kind: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        Answer::made(Peer::Google, StatusCode::OK, headers, body.as_bytes().to_vec())
    }

    fn part(number: usize, status: &str, body: &str) -> String {
        format!(
            "--b_1\r\nContent-Type: application/http\r\nContent-ID: <response-call-{number}>\r\n\r\n\
             HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
        )
    }

    #[track_caller]
    fn check(kind: &str, body: &str, expected: Result<&[(usize, Option<u16>)], &str>) {
        let told = parts(&answer(kind, body)).map(|parts| {
            parts
                .into_iter()
                .map(|(at, part)| (at, part.map(|part| part.status.as_u16())))
                .collect::<Vec<_>>()
        });
        assert_eq!(told, expected.map(<[_]>::to_vec), "{body}");
    }

    #[test]
    fn parts_are_known_by_their_name_and_not_by_their_place() {
        let body = [part(1, "409 Conflict", "{}"), part(0, "200 OK", "{}"), "--b_1--".to_owned()].concat();
        check(KIND, &body, Ok(&[(0, Some(200)), (1, Some(409))]));
        let bare = body.replace("\r\n", "\n");
        check("multipart/mixed;boundary=b_1", &bare, Ok(&[(0, Some(200)), (1, Some(409))]));
    }

    #[test]
    fn what_is_cut_short_or_in_no_parts_says_nothing_of_any_call() {
        let one = part(0, "200 OK", "{}");
        check(KIND, &one, Err("it ends without saying so"));
        check(KIND, "", Err("it has no parts"));
        check("application/json", "{}", Err("it is not in parts"));
        check("multipart/mixed", &one, Err("it is not in parts"));
        check(
            KIND,
            &[&*one.repeat(PARTS + 1), "--b_1--"].concat(),
            Err("it has more parts than calls were made"),
        );
    }

    #[test]
    fn a_call_that_is_answered_in_two_ways_is_answered_in_none_and_a_stranger_is_left_out() {
        let two = [part(0, "200 OK", "{}"), part(0, "500 X", "{}"), "--b_1--".to_owned()].concat();
        check(KIND, &two, Ok(&[(0, None)]));
        let twice = [part(0, "200 OK", "{}"), part(0, "200 OK", "{}"), "--b_1--".to_owned()].concat();
        check(KIND, &twice, Ok(&[(0, Some(200))]));
        for strange in ["Content-ID: <response-call-x>", "Content-ID: <else>", "X-Y: z", "no header"] {
            let body = part(0, "200 OK", "{}").replace("Content-ID: <response-call-0>", strange) + "--b_1--";
            check(KIND, &body, Ok(&[]));
        }
        for status in ["abc", "99999 Very", ""] {
            check(KIND, &(part(0, status, "{}") + "--b_1--"), Ok(&[]));
        }
    }

    #[test]
    fn a_text_that_looks_like_a_boundary_inside_a_line_is_text() {
        let body = part(0, "200 OK", r#"{"summary": "a --b_1 b"}"#) + "--b_1--";
        let parts = parts(&answer(KIND, &body)).unwrap();
        let Some(Some(only)) = parts.get(&0) else { panic!("one part") };
        assert_eq!(only.body(), br#"{"summary": "a --b_1 b"}"#);
    }
}
