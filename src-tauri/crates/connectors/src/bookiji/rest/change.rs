//! Cancels and moves a booking with what today's platform has for it: a row that may be changed, and a function. Neither
//! knows keys, so what stands there is looked at first: what is done already is not done again.

use calendar::interval::Interval;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use sync::booking::BookingStatus;
use sync::error::ServiceError;
use sync::ids::{BookingId, SlotId};

use super::{Rest, rejected};
use crate::bookiji::database::{Refused, refused};
use crate::bookiji::slots::written;
use crate::http::{Answer, Method, Peer, Request};

const ROUTE: &str = "/rest/v1/bookings";
const MOVE: &str = "/rest/v1/rpc/reschedule_booking_atomically";

#[derive(Deserialize)]
struct Standing {
    status: String,
    start_time: Timestamp,
    end_time: Timestamp,
}

#[derive(Deserialize)]
struct Target {
    id: SlotId,
    is_available: bool,
}

#[derive(Deserialize)]
struct Moved {
    success: bool,
    error_message: Option<String>,
}

impl Standing {
    fn is_live(&self) -> bool {
        matches!(BookingStatus::parse(&self.status), BookingStatus::Pending | BookingStatus::Confirmed)
    }
}

impl Rest {
    /// Cancels the booking as her own page does. The platform opens its slot by itself.
    pub(super) async fn cancel(&self, booking: &BookingId, reason: &str) -> Result<(), ServiceError> {
        let request = self
            .one(Method::PATCH, booking, "return=representation")
            .query("status", "in.(pending,confirmed)")
            .query("select", "status,start_time,end_time")
            .json(&json!({"status": "cancelled", "cancellation_reason": reason}));
        let cancelled: Vec<Standing> = self.changed(request).await?.json()?;
        if !cancelled.is_empty() {
            return Ok(());
        }
        let standing = self.standing(booking).await?;
        if BookingStatus::parse(&standing.status) == BookingStatus::Cancelled {
            return Ok(());
        }
        Err(rejected(if standing.is_live() {
            "its database did not let her change the booking"
        } else {
            "the booking is over and cannot be cancelled"
        }))
    }

    pub(super) async fn move_to(&self, booking: &BookingId, to: Interval) -> Result<(), ServiceError> {
        let standing = self.standing(booking).await?;
        if (standing.start_time, standing.end_time) == (to.start(), to.end()) {
            return Ok(());
        }
        if !standing.is_live() {
            return Err(rejected("the booking is over and cannot be moved"));
        }
        let request = self
            .database
            .her_slots(Method::GET, "")
            .query("start_time", &format!("eq.{}", written(to.start())))
            .query("end_time", &format!("eq.{}", written(to.end())))
            .query("select", "id,is_available");
        let targets: Vec<Target> = self.send(request).await?.json()?;
        let Some(target) = targets.first().filter(|target| target.is_available) else {
            return Err(rejected("no slot is open at exactly these times"));
        };
        let request = self
            .database
            .rows(Method::POST, MOVE, &["rpc", "reschedule_booking_atomically"], "")
            .json(&json!({"p_booking_id": booking, "p_new_slot_id": target.id}));
        let told: Vec<Moved> = self.changed(request).await?.json()?;
        match told.first() {
            Some(moved) if moved.success => Ok(()),
            Some(Moved { error_message: Some(words), .. }) => Err(rejected(crate::http::line(words))),
            Some(_) | None => Err(rejected("it did not say why it would not move the booking")),
        }
    }

    fn one(&self, method: Method, booking: &BookingId, prefer: &str) -> Request {
        self.database
            .rows(method, ROUTE, &["bookings"], prefer)
            .query("id", &format!("eq.{booking}"))
            .query("provider_id", &format!("eq.{}", self.database.vendor))
    }

    async fn standing(&self, booking: &BookingId) -> Result<Standing, ServiceError> {
        let request = self.one(Method::GET, booking, "").query("select", "status,start_time,end_time");
        let rows: Vec<Standing> = self.send(request).await?.json()?;
        rows.into_iter().next().ok_or_else(|| ServiceError::Gone { service: Peer::Bookiji.name().to_owned() })
    }

    /// Sends a change of a booking. An open slot over the booking's own keeps the database from changing it at all, and
    /// only she can take that slot away.
    async fn changed(&self, request: Request) -> Result<Answer, ServiceError> {
        let answer = self.signed.send(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(match refused(&answer) {
            Refused::Overlaps => rejected(
                "another open slot lies over the booking's own, and until it is closed or removed on Bookiji, nobody \
                 can change this booking",
            ),
            Refused::Taken => rejected("another booking or slot has exactly these times"),
            Refused::Row(error) | Refused::Call(error) => error,
        })
    }
}
