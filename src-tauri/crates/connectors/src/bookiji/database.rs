//! The database's REST door, beside the sign-in server: which key it takes, and whose rows are hers. Requests to it lie
//! outside the platform's limit of requests per minute.

use reqwest::header::{ACCEPT, HeaderName};
use sync::error::ServiceError;
use sync::ids::VendorId;

use super::refusal;
use crate::gotrue::{API_KEY, GoTrue};
use crate::http::{Answer, Base, Method, Peer, Request, line};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Where a vendor's rows stand.
#[derive(Clone, Debug)]
pub struct Database {
    base: Base,
    /// Supabase's publishable key; not a secret.
    api_key: String,
    pub(super) vendor: VendorId,
}

impl GoTrue {
    /// The database that lies beside this sign-in server, as `vendor` sees it.
    #[must_use]
    pub fn database(&self, vendor: &VendorId) -> Database {
        Database { base: self.base.clone(), api_key: self.api_key.clone(), vendor: vendor.clone() }
    }
}

impl Database {
    /// A request for slots, still without a filter.
    pub(super) fn slots(&self, method: Method, prefer: &str) -> Request {
        self.rows(method, "/rest/v1/availability_slots", &["availability_slots"], prefer)
    }

    /// A request for rows of another table, or a call of a function.
    pub(super) fn rows(&self, method: Method, route: &'static str, of: &[&str], prefer: &str) -> Request {
        let path: Vec<&str> = ["rest", "v1"].into_iter().chain(of.iter().copied()).collect();
        Request::new(Peer::Bookiji, method, route, self.base.at(&path))
            .header(ACCEPT, "application/json")
            .header(API_KEY, &self.api_key)
            .header(PREFER, prefer)
    }

    /// As [`Database::slots`], among hers alone: everybody's stand in the same table, and all may be read.
    pub(super) fn her_slots(&self, method: Method, prefer: &str) -> Request {
        self.slots(method, prefer).query("provider_id", &format!("eq.{}", self.vendor))
    }
}

/// Why the database did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A row has the exact times of another.
    Taken,
    /// An open row overlaps another open one.
    Overlaps,
    /// A row is wrong in itself.
    Row(ServiceError),
    /// It is not about any one row.
    Call(ServiceError),
}

/// Reads PostgreSQL's code; the status that goes with it differs between versions.
pub(super) fn refused(answer: &Answer) -> Refused {
    let code = refusal::code(answer).filter(|_| answer.status.is_client_error());
    match code.as_deref().unwrap_or_default() {
        "23P01" => Refused::Overlaps,
        "23505" => Refused::Taken,
        "23502" | "23514" | "P0001" => Refused::Row(error(answer)),
        code if code.len() == 5 && code.starts_with("22") => Refused::Row(error(answer)),
        _ => Refused::Call(error(answer)),
    }
}

/// What a refusal means for the caller. A table is asked about, so a 404 says nothing about any row of it.
pub(super) fn error(answer: &Answer) -> ServiceError {
    match refusal::error(answer) {
        ServiceError::Gone { service }
        | ServiceError::Stale { service }
        | ServiceError::Exists { service } => {
            let status = answer.status.as_u16();
            let told = refusal::message(answer).map_or_else(|| format!("HTTP {status}"), |text| line(&text));
            ServiceError::Rejected { service, reason: told }
        }
        error @ (ServiceError::SignInExpired { .. }
        | ServiceError::Forbidden { .. }
        | ServiceError::NotLinked { .. }
        | ServiceError::SwitchedOff { .. }
        | ServiceError::OtherContract { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::Rejected { .. }
        | ServiceError::Failing { .. }
        | ServiceError::Garbled { .. }
        | ServiceError::NotACalendar { .. }
        | ServiceError::Fenced { .. }
        | ServiceError::Unreachable { .. }
        | ServiceError::VaultUnavailable { .. }) => error,
    }
}
