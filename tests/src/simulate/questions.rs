//! She answers questions: one that waits, in any of the ways it offers, or one that she looked at a while ago and that may
//! be another by now; and she says how all of a kind are to be answered from now on.

use jiff::Timestamp;
use sync::decide::Question;
use sync::decisions::{self, Decided, Refused};
use sync::error::MirrorError;
use sync::plan::{Card, plan};
use sync::ports::Mirror;
use sync::report::DecisionReport;
use sync::standing;
use sync::world::{Answer, Choice, World};

use super::device::{Device, policy};
use super::stage::{Given, Stage, on};
use super::weather::Call;

/// What she is asked on one computer, and what it is asked from.
struct Asked {
    mirror: Box<dyn Mirror>,
    world: World,
    cards: Vec<Card>,
    waiting: Vec<DecisionReport>,
    now: Timestamp,
}

impl Device {
    /// Answers with the call by which it is acted on, if it counts and is about bookings.
    ///
    /// # Errors
    /// When the mirror fails.
    pub fn answer(&mut self) -> Result<Option<Call>, MirrorError> {
        let asked = self.asked()?;
        let before = std::mem::replace(&mut self.seen, asked.waiting.iter().map(told).collect());
        let Some((id, option)) = self.draw(&asked.waiting, before) else { return Ok(None) };
        self.says(asked, &id, &option)
    }

    /// Answers the first question of this kind so, if it waits and may be answered so. Answers as [`Device::answer`].
    ///
    /// # Errors
    /// When the mirror fails.
    pub fn answer_so(&mut self, question: Question, choice: Choice) -> Result<Option<Call>, MirrorError> {
        let asked = self.asked()?;
        self.seen = asked.waiting.iter().map(told).collect();
        let mut of_kind = asked.waiting.iter().filter(|card| kind_of(&card.id) == question.as_str());
        let Some(card) = of_kind.find(|card| offers(card, choice.as_str())) else { return Ok(None) };
        let id = card.id.clone();
        on(&self.stage).say(format!("on the {} she answers {id} with {}", self.name(), choice.as_str()));
        self.says(asked, &id, choice.as_str())
    }

    fn asked(&self) -> Result<Asked, MirrorError> {
        let mirror = self.awake();
        let world = mirror.world()?;
        let now = on(&self.stage).now;
        let cards = plan(&world, now, &policy(self.mutant)).cards;
        let waiting = decisions::waiting(&world, &cards, now);
        Ok(Asked { mirror, world, cards, waiting, now })
    }

    fn says(&self, asked: Asked, id: &str, option: &str) -> Result<Option<Call>, MirrorError> {
        let Asked { mirror, world, cards, waiting, now } = asked;
        match decisions::answer(&world, &cards, now, id, option) {
            Ok(Decided::Bookings { answers, .. }) => {
                {
                    let stage = &mut *on(&self.stage);
                    stage.counts(format!("answer {} {option}", kind_of(id)));
                    answers.iter().for_each(|answer| stage.note_answer(answer, &cards, &world));
                }
                mirror.put_answers(&answers)?;
                let question = Question::ALL.into_iter().find(|question| question.as_str() == kind_of(id));
                Ok(question
                    .zip(Choice::parse(option))
                    .and_then(|(question, choice)| Call::of(question, choice)))
            }
            Ok(Decided::Import { calendar, intake }) => mirror.take_import(&calendar, &intake).map(|()| None),
            Err(Refused::NotWaiting) if waiting.iter().all(|card| card.id != id) => {
                self.comes_too_late("it is another question by now")
            }
            // A time that is over by now is moved to no more.
            Err(Refused::NoSuchOption { .. })
                if !waiting.iter().any(|card| card.id == id && offers(card, option)) =>
            {
                self.comes_too_late("that is offered no more")
            }
            Err(refused) => {
                on(&self.stage).breaks(format!("what waits cannot be answered: {refused:?}"));
                Ok(None)
            }
        }
    }

    fn comes_too_late(&self, why: &str) -> Result<Option<Call>, MirrorError> {
        let stage = &mut *on(&self.stage);
        stage.counts("an answer comes too late");
        stage.say(format!("  {why}, and she is told so"));
        Ok(None)
    }

    /// From now on all questions of some kind are answered in one way, or none are any more.
    ///
    /// # Errors
    /// When the mirror fails.
    pub fn decide_for_all(&mut self) -> Result<(), MirrorError> {
        let mirror = self.awake();
        let (question, choice) = {
            let stage = &mut *on(&self.stage);
            let may: Vec<Question> =
                Question::ALL.into_iter().filter(|question| standing::refusal(*question).is_none()).collect();
            let question = stage.dice.one(&may);
            let choice = stage.dice.per_mille(700).then(|| stage.dice.one(question.options()));
            stage.say(match choice {
                Some(choice) => format!(
                    "on the {} she says that every question of the kind \"{}\" is answered {}",
                    self.name(),
                    question.as_str(),
                    choice.as_str()
                ),
                None => {
                    format!("on the {} she wants to be asked \"{}\" again", self.name(), question.as_str())
                }
            });
            stage.counts(format!("standing {}", question.as_str()));
            stage.stood_for_all.extend(choice.map(|choice| (self.index, question, choice)));
            (question, choice)
        };
        mirror.set_standing(question, choice)
    }

    fn awake(&self) -> Box<dyn Mirror> {
        on(&self.stage).device = self.index;
        self.mirror()
    }

    fn draw(
        &self,
        waiting: &[DecisionReport],
        before: Vec<(String, Vec<String>)>,
    ) -> Option<(String, String)> {
        let stage = &mut *on(&self.stage);
        let is_late = stage.dice.per_mille(300);
        let offered = if is_late { before } else { waiting.iter().map(told).collect() };
        // What presses most comes first.
        let at = if stage.dice.per_mille(300) { 0 } else { stage.dice.below(offered.len()) };
        let (id, options) = offered.into_iter().nth(at)?;
        let mut option = options[stage.dice.below(options.len())].clone();
        if kind_of(&id) == "target_gone" && stage.target().is_some() {
            // She looks, and it is there.
            option = Choice::Leave.as_str().to_owned();
        }
        let summary = waiting.iter().find(|card| card.id == id).map(|card| format!(": {}", card.summary));
        stage.say(format!(
            "on the {} she answers {} with {option}{}",
            self.name(),
            id,
            summary.unwrap_or_default()
        ));
        Some((id, option))
    }
}

fn told(card: &DecisionReport) -> (String, Vec<String>) {
    (card.id.clone(), card.options.clone())
}

fn offers(card: &DecisionReport, option: &str) -> bool {
    card.options.iter().any(|offered| offered == option)
}

/// The kind that a question's id begins with.
#[must_use]
pub fn kind_of(id: &str) -> &str {
    id.split('-').next().unwrap_or_default()
}

impl Stage {
    /// What she decided, as the device heard it.
    pub fn note_answer(&mut self, answer: &Answer, cards: &[Card], world: &World) {
        let Some(booking) = answer.booking.clone() else { return };
        let found = cards.iter().find(|card| card.id() == answer.card).and_then(|card| card.found);
        let device = self.device;
        // One decision is kept for one thing: the last.
        for ((heard, _), before) in &mut self.given {
            let is_same = *heard == device && before.booking == booking && before.topic == answer.topic;
            before.is_settled |= is_same;
        }
        let given = Given {
            topic: answer.topic.clone(),
            choice: answer.choice,
            found,
            is_settled: false,
            booked: world.bookings.get(&booking).cloned(),
            booking,
        };
        self.given.insert((device, answer.card.clone()), given);
    }
}
