//! What the vendor is asked, and her answers, as the command gives them.

use sync::decisions::{Decided, Refused, answer};
use sync::plan::plan;
use sync::ports::Clock;
use sync::report::DecisionReport;

use crate::world::World;

impl World {
    /// Answers the question with this id. The next sync carries it out.
    ///
    /// # Errors
    /// When nothing of that kind waits, or it has no such option.
    ///
    /// # Panics
    /// When the mirror fails, or the question is about a file.
    pub fn vendor_decides(&self, id: &str, option: &str) -> Result<(), Refused> {
        let known = self.mirror.world().expect("a world");
        let now = self.clock.now();
        let cards = plan(&known, now, &self.policy).cards;
        match answer(&known, &cards, now, id, option)? {
            Decided::Bookings { answers, .. } => self.mirror.put_answers(&answers).expect("they are kept"),
            Decided::Import { .. } => panic!("no question about a file"),
        }
        Ok(())
    }

    /// Syncs, and answers the only question of this kind.
    ///
    /// # Panics
    /// When there is not exactly one, or it has no such option.
    pub async fn asked_and_answered(&mut self, kind: &str, option: &str) -> DecisionReport {
        let card = self.the_question(kind).await;
        self.vendor_decides(&card.id, option).expect("an answer");
        card
    }

    /// Syncs, and shows the only question of this kind.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub async fn the_question(&mut self, kind: &str) -> DecisionReport {
        let report = self.sync().await;
        let of_kind: Vec<_> = report.decisions.iter().filter(|card| card.kind == kind).collect();
        let [card] = of_kind.as_slice() else { panic!("{report:#?}") };
        (*card).clone()
    }
}
