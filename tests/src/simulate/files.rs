//! Files that she gives a computer: one event in each, taken in as the app takes any file in.

use jiff::Timestamp;
use sync::error::MirrorError;
use sync::import::{self, Holdings, OnConflict, Own, Taken};

use super::device::Device;
use super::stage::{ACCOUNT, Filed, on};

impl Device {
    /// She gives this computer a file with one event in it.
    ///
    /// # Errors
    /// When the mirror fails.
    pub fn import(&mut self, uid: u32, version: usize, filed: Option<Filed>) -> Result<(), MirrorError> {
        let (now, last) = {
            let mut stage = on(&self.stage);
            let files = stage.files.entry(self.index).or_default();
            let last = files.remove(&uid);
            files.extend(filed.map(|filed| (uid, filed)));
            (stage.now, last)
        };
        let world = self.inside.world()?;
        let calendar = match import::calendar(&world) {
            Some(calendar) => calendar.clone(),
            None => {
                let calendar = import::linked(self.name(), 5, now);
                self.inside.put_connection(&import::connection(now))?;
                self.inside.put_calendar(&calendar)?;
                calendar
            }
        };
        let Some(said) = filed.or(last) else { return Ok(()) };
        let at = |at: Timestamp| at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let status = if filed.is_some() { "" } else { "STATUS:CANCELLED\n" };
        let transparency = if said.busy { "OPAQUE" } else { "TRANSPARENT" };
        let file = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:filed{uid}\nDTSTART:{}\nDTEND:{}\nSEQUENCE:{version}\n\
             TRANSP:{transparency}\n{status}END:VEVENT\nEND:VCALENDAR\n",
            at(said.span.start()),
            at(said.span.end()),
        );
        let (parts, _) = calendar::ics::read_each_as(file.as_bytes(), &[ACCOUNT]).expect("a calendar");
        let world = self.inside.world()?;
        let mut holdings = Holdings::of(&world, &calendar.id);
        let zone = sync::busy_set::vendor_zone(world.vendor.as_ref());
        let own = Own::of(&world, &[]);
        let mut taken = Taken::default();
        for part in &parts {
            taken.join(holdings.take(part, &own, now, &zone));
        }
        taken.intake.choices.extend(taken.free.iter().map(|uid| (uid.clone(), Some(OnConflict::Skip))));
        self.inside.take_import(&calendar.id, &taken.intake)
    }
}
