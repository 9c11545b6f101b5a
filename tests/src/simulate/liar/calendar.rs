//! The calendar service: the account's list of calendars, and one calendar with its events.

use async_trait::async_trait;
use calendar::event::{End, When};
use jiff::Timestamp;
use sync::booking::Draft;
use sync::error::ServiceError;
use sync::ids::{Cursor, ETag, RemoteCalendarId, RemoteId, VendorId};
use sync::ports::{Account, Calendar, CalendarEntry, Probe, Reading, RemoteEvent};

use super::super::stage::{Place, Stage, calendar_words, clock, from_words, on};
use super::super::weather::{Call, Lie};
use super::events::{read_events, seen, warp};
use super::lie::{Bent, bent, gone, refusal};
use super::watch::{standing, watch_create, watch_delete, watch_draft, watch_update, wrote};
use super::{Liar, unheard};
use crate::service::event_of;

#[async_trait]
impl Account for Liar {
    async fn calendars(&self) -> Result<Vec<CalendarEntry>, ServiceError> {
        self.serve(Call::Calendars, None, String::new(), |stage, _| {
            Ok(stage.world.calendars.values().filter_map(|calendar| calendar.entry.clone()).collect())
        })
        .await
    }

    async fn create_calendar(
        &self,
        name: &str,
        zone: &str,
        vendor: &VendorId,
    ) -> Result<CalendarEntry, ServiceError> {
        self.serve(Call::CreateCalendar, None, name.to_owned(), |stage, _| {
            // Nothing but a lease keeps two computers from making one at the same moment, and that only while it lasts;
            // they then take the same.
            stage.lease.made_late |= stage.lease.offered && !stage.holds_lease();
            let may_meet = stage.together && (!stage.lease.offered || stage.lease.made_late);
            if stage.target().is_some() && !may_meet {
                stage.breaks("a second calendar for bookings is made");
            }
            stage.world.clock += 1;
            let remote = RemoteCalendarId(format!("made-for-{vendor}-{}", stage.world.clock));
            let entry = CalendarEntry {
                remote: remote.clone(),
                name: name.to_owned(),
                time_zone: Some(zone.to_owned()),
                writable: true,
                primary: false,
                ours: true,
            };
            stage.world.writes += 1;
            stage.world.calendars.entry(remote).or_default().entry = Some(entry.clone());
            Ok(entry)
        })
        .await
    }

    fn calendar(&self, remote: &RemoteCalendarId) -> Box<dyn Calendar> {
        Box::new(OneCalendar { liar: self.clone(), remote: remote.clone() })
    }
}

struct OneCalendar {
    liar: Liar,
    remote: RemoteCalendarId,
}

impl OneCalendar {
    fn place(&self, id: &RemoteId) -> Place {
        (self.remote.clone(), id.clone())
    }

    fn make(&self, stage: &mut Stage, draft: &Draft, lie: Option<Lie>) -> Result<RemoteEvent, ServiceError> {
        let place = self.place(&draft.id);
        if stage.is_gone(&self.remote) {
            return Err(gone());
        }
        watch_draft(stage, draft);
        if stage.world.calendars.get(&self.remote).is_some_and(|c| c.events.contains_key(&draft.id)) {
            return Err(ServiceError::Exists { service: "fake".to_owned() });
        }
        watch_create(stage, draft);
        let mut event = event_of(draft);
        if lie == Some(Lie::DropsMarker) {
            event.marker = None;
            stage.unmarked.insert(draft.booking.clone());
        }
        event.etag = stage.world.put(&self.remote, event.clone());
        stage.ours.insert(place.clone(), draft.booking.clone());
        wrote(stage, &place, &draft.booking, &event);
        if stage.standing_for(&draft.booking).len() > 1 {
            stage.breaks(format!("two events of ours stand for {}", draft.booking));
        }
        Ok(seen(stage, &event))
    }

    /// What befalls one event of a request keeps none of the others from being made.
    fn make_one_of_many(
        &self,
        stage: &mut Stage,
        draft: &Draft,
        of_all: Option<Lie>,
    ) -> Result<RemoteEvent, ServiceError> {
        let device = stage.device;
        let Some(lie) = stage.runs[device].lies_within(Call::Create, &mut stage.dice) else {
            return self.make(stage, draft, of_all);
        };
        stage.counts("a lie about one of several");
        match bent(lie) {
            Bent::NotDone => Err(refusal(lie)),
            Bent::Unanswered => {
                let _ = unheard(stage, |stage, _| self.make(stage, draft, None));
                Err(refusal(lie))
            }
            Bent::Answered => self.make(stage, draft, Some(lie)),
        }
    }
}

#[async_trait]
impl Calendar for OneCalendar {
    async fn read(&self, cursor: Option<&Cursor>, since: Timestamp) -> Reading<RemoteEvent, RemoteId> {
        self.liar
            .serve(
                Call::Read,
                None,
                format!("{} {}", calendar_words(&self.remote), from_words(cursor)),
                |stage, lie| {
                    if stage.is_gone(&self.remote) {
                        return Reading::Failed(gone());
                    }
                    let reading = read_events(stage, &self.remote, cursor, since, lie);
                    warp(stage, reading, lie)
                },
            )
            .await
    }

    async fn create(&self, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let place = self.place(&draft.id);
        self.liar
            .serve(
                Call::Create,
                Some(&place),
                format!("{} at {}", draft.booking, clock(draft.start)),
                |stage, lie| self.make(stage, draft, lie),
            )
            .await
    }

    fn creates_at_once(&self) -> usize {
        on(&self.liar.stage).creates_at_once
    }

    async fn create_all(&self, drafts: &[Draft]) -> Vec<Result<RemoteEvent, ServiceError>> {
        let each: Vec<String> =
            drafts.iter().map(|draft| format!("{} at {}", draft.booking, clock(draft.start))).collect();
        let about = each.join(", ");
        let made = self.liar.serve(Call::CreateAll, None, about, |stage, lie| {
            Ok(drafts.iter().map(|draft| self.make_one_of_many(stage, draft, lie)).collect())
        });
        made.await.unwrap_or_else(|error| vec![Err(error); drafts.len()])
    }

    async fn update(&self, id: &RemoteId, base: &ETag, draft: &Draft) -> Result<RemoteEvent, ServiceError> {
        let place = self.place(id);
        let about = format!("{} to {}", draft.booking, clock(draft.start));
        self.liar
            .serve(Call::Update, Some(&place), about, |stage, lie| {
                let mut event = standing(stage, &place, base, lie)?;
                watch_draft(stage, draft);
                if lie != Some(Lie::IgnoresPrecondition) {
                    watch_update(stage, &place, &event, draft);
                }
                event.event.start = When::Utc(draft.start);
                event.event.end = End::At(When::Utc(draft.end));
                if !draft.times_only {
                    event.event.summary.clone_from(&draft.title);
                    event.event.description.clone_from(&draft.description);
                }
                event.etag = stage.world.put(&self.remote, event.clone());
                wrote(stage, &place, &draft.booking, &event);
                Ok(seen(stage, &event))
            })
            .await
    }

    async fn delete(&self, id: &RemoteId, base: &ETag) -> Result<(), ServiceError> {
        let place = self.place(id);
        let about = on(&self.liar.stage).called(&place);
        self.liar
            .serve(Call::Delete, Some(&place), about, |stage, lie| {
                let event = standing(stage, &place, base, lie)?;
                watch_delete(stage, &place, &event, lie);
                stage.reworded.remove(&place);
                stage.world.delete(&self.remote, id);
                stage.world.writes += 1;
                Ok(())
            })
            .await
    }

    async fn probe(&self, id: &RemoteId) -> Result<Probe, ServiceError> {
        let about = on(&self.liar.stage).called(&self.place(id));
        self.liar
            .serve(Call::Probe, None, about, |stage, _| {
                // As the real ones do: an event of a calendar that is not to be found is not found either.
                if stage.is_gone(&self.remote) {
                    return Ok(Probe::Absent);
                }
                let found = stage.world.calendars.get(&self.remote).and_then(|c| c.events.get(id)).cloned();
                Ok(match found {
                    Some((_, Some(event))) => Probe::Live(seen(stage, &event)),
                    Some((_, None)) => Probe::Burnt,
                    None => Probe::Absent,
                })
            })
            .await
    }
}
