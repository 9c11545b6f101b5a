//! What Bookiji's own page is told of her calendars after a run: decides what of it is news, and sends that beside
//! everything else. It is only shown there, so a failure is no trouble of hers and is simply told again.

use std::collections::BTreeMap;
use std::time::Duration;

use connectors::bookiji::{Heartbeat, Registration, Site};
use sync::ids::{CalendarId, Service};
use sync::world::{Role, World};
use tracing::Instrument as _;

use crate::wiring::Wiring;

/// What was told by this process, by calendar.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<CalendarId, (Registration, Option<Heartbeat>)>);

/// What is to be told of one calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
struct News {
    registration: Option<Registration>,
    beat: Option<Heartbeat>,
}

impl Told {
    /// Tells what is news. Where many vendors share the process nothing is told: what they may ask of Bookiji together is
    /// needed for their bookings.
    pub fn tell(&mut self, wiring: &Wiring, world: &World) {
        if wiring.place.is_some() {
            return;
        }
        let news = self.take(world);
        if news.is_empty() {
            return;
        }
        let Ok(site) = wiring.ear() else { return };
        tokio::spawn(send(site, news).in_current_span());
    }

    fn take(&mut self, world: &World) -> Vec<News> {
        let mut news = Vec::new();
        self.0.retain(|id, _| world.calendars.contains_key(id));
        for calendar in world.calendars.values().filter(|calendar| calendar.role != Role::Off) {
            let Some(connection) = world.connections.get(&calendar.connection) else { continue };
            // A link may be a secret, and so may what stands in one.
            let (remote, account) = match connection.service {
                Service::Google | Service::Outlook => {
                    (calendar.remote.to_string(), Some(connection.account.clone()))
                }
                Service::Caldav | Service::Ics => (calendar.id.to_string(), None),
            };
            let registration = Registration {
                id: calendar.id.clone(),
                service: connection.service,
                remote,
                account,
                every_minutes: calendar.sync_frequency_minutes,
            };
            let beat = calendar.last_sync_at.zip(calendar.last_sync_status).map(|(at, outcome)| Heartbeat {
                id: calendar.id.clone(),
                at,
                next: calendar.next_sync_at,
                outcome,
                error: calendar.last_sync_error.clone(),
            });
            let now = (registration.clone(), beat.clone());
            let before = self.0.insert(calendar.id.clone(), now);
            let (known, beaten) = before.map_or((None, None), |(known, beaten)| (Some(known), beaten));
            let one = News {
                registration: (known.as_ref() != Some(&registration)).then_some(registration),
                beat: beat.filter(|beat| beaten.as_ref() != Some(beat)),
            };
            if one.registration.is_some() || one.beat.is_some() {
                news.push(one);
            }
        }
        news
    }
}

/// Slower than Bookiji's calls a minute flow in, so that her bookings never wait for what is only shown.
const BETWEEN: Duration = Duration::from_secs(4);

async fn send(site: Site, news: Vec<News>) {
    for one in news {
        let registered = match &one.registration {
            Some(registration) => {
                tokio::time::sleep(BETWEEN).await;
                site.register(registration).await
            }
            None => Ok(()),
        };
        let told = match (registered, &one.beat) {
            (Ok(()), Some(beat)) => {
                tokio::time::sleep(BETWEEN).await;
                site.beat(beat).await
            }
            (registered, _) => registered,
        };
        if let Err(error) = told {
            tracing::debug!(code = %error.code(), "Bookiji's page was not told how a sync went");
        }
    }
}
