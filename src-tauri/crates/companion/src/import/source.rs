//! The account behind imported files. Nothing is read from it: files come by themselves, and stay until they are taken
//! back.

use async_trait::async_trait;
use jiff::Timestamp;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId, VendorId};
use sync::import::CURSOR;
use sync::ports::{Account, Calendar, CalendarEntry, Probe, Reading, RemoteEvent};

/// All files that were ever imported, as an account with one calendar.
pub struct ImportedFiles;

fn read_only() -> ServiceError {
    ServiceError::Forbidden {
        service: "imported files".to_owned(),
        reason: "what was imported is not written to".to_owned(),
    }
}

#[async_trait]
impl Account for ImportedFiles {
    /// Which one there is, only the mirror knows.
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        Ok(Vec::new())
    }

    async fn create_calendar(
        &self,
        _name: &str,
        _time_zone: &str,
        _vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        Err(read_only())
    }

    fn calendar(&self, _remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(Self)
    }
}

#[async_trait]
impl Calendar for ImportedFiles {
    async fn read(&self, _cursor: Option<&Cursor>, _since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        Reading::Delta { changed: Vec::new(), removed: Vec::new(), cursor: Cursor(CURSOR.to_owned()) }
    }

    async fn create(&self, _draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        Err(read_only())
    }

    async fn update(
        &self,
        _id: &RemoteId,
        _base: &ETag,
        _draft: &Draft,
    ) -> Result<RemoteEvent, ServiceError> {
        Err(read_only())
    }

    async fn delete(&self, _id: &RemoteId, _base: &ETag) -> Result<(), ServiceError> {
        Err(read_only())
    }

    async fn probe(&self, _id: &RemoteId) -> Result<Probe, ServiceError> {
        Ok(Probe::Absent)
    }
}
