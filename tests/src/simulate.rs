//! The engine's life from one seed: a vendor, her customers, two computers, services that lie and processes that die, in
//! virtual time and on one thread. Decides what happens when; what must hold is in [`holds`].

mod device;
pub mod dice;
pub mod holds;
mod liar;
pub mod mutant;
mod people;
mod stage;
mod trace;
mod watched;

use std::sync::{Arc, Mutex};

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::ids::RemoteCalendarId;
use sync::world::Direction;

use crate::crash::Moment;
use crate::world::NOON;
use device::{Device, Ended, personal};
use mutant::Mutant;
use people::{after, some_hour, somebody};
use stage::{Filed, Lie, Shared, Stage, Weather, clock, on};

/// How a story went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub seed: u64,
    pub hash: u64,
    pub lines: usize,
    pub runs: usize,
    /// The first promise that was broken, and all that led to it.
    pub broken: Option<(String, String)>,
}

/// Lives through the story of one seed. With a `mutant`, the engine is wrong on purpose.
#[must_use]
pub fn simulate(seed: u64, mutant: Option<Mutant>) -> Outcome {
    let mut life = Life::new(seed, mutant);
    life.live();
    let stage = on(&life.stage);
    let story = stage.broken.as_ref().map(|what| (what.clone(), stage.trace.story()));
    Outcome { seed, hash: stage.trace.hash(), lines: stage.trace.len(), runs: life.runs, broken: story }
}

struct Life {
    stage: Shared,
    devices: Vec<Device>,
    runs: usize,
    versions: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Somebody,
    Sync,
    File,
    Later,
    ClockJump,
    ForgetAll,
}

const STEPS: [(u32, Step); 6] = [
    (50, Step::Somebody),
    (34, Step::Sync),
    (6, Step::File),
    (6, Step::Later),
    (2, Step::ClockJump),
    (2, Step::ForgetAll),
];

impl Life {
    fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let now: Timestamp = NOON.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let mut stage = Stage::of(seed, now);
        let entry = personal();
        let remote = entry.remote.clone();
        stage.world.calendars.entry(remote).or_default().entry = Some(entry);
        let computers = if stage.dice.per_mille(300) { 2 } else { 1 };
        stage.say(format!("seed {seed}: {computers} computers, {}", clock(now)));
        let stage = Arc::new(Mutex::new(stage));
        let devices = (0..computers).map(|index| Device::new(index, &stage, mutant)).collect();
        Self { stage, devices, runs: 0, versions: 0 }
    }

    fn is_broken(&self) -> bool {
        on(&self.stage).broken.is_some()
    }

    fn live(&mut self) {
        let steps = on(&self.stage).dice.between(8, 26);
        for _ in 0..steps {
            self.step();
            holds::always(&mut on(&self.stage));
            if self.is_broken() {
                return;
            }
        }
        self.end_in_peace();
    }

    fn step(&mut self) {
        let step = on(&self.stage).dice.weighed(&STEPS);
        match step {
            Step::Somebody => somebody(&mut on(&self.stage)),
            Step::Sync => {
                let (device, direction, weather) = self.draw_run();
                self.sync(device, direction, weather, self.devices.len() == 1);
            }
            Step::File => self.file(),
            Step::Later => {
                let hours = on(&self.stage).dice.between(1, 40);
                self.pass(hours, "later");
            }
            Step::ClockJump => {
                let hours = on(&self.stage).dice.between(-60, 60);
                self.pass(hours, "by a clock that jumps");
            }
            Step::ForgetAll => {
                let device = on(&self.stage).dice.below(self.devices.len());
                if !on(&self.stage).files.contains_key(&device) {
                    let name = self.devices[device].name();
                    on(&self.stage).say(format!("the {name} loses all it knew"));
                    self.devices[device].forget();
                }
            }
        }
    }

    fn pass(&mut self, hours: i64, how: &str) {
        let mut stage = on(&self.stage);
        stage.now = after(stage.now, hours).saturating_add(SignedDuration::from_mins(7)).unwrap_or(stage.now);
        let now = stage.now;
        stage.latest = stage.latest.max(now);
        stage.say(format!("it is {} {how}", clock(now)));
    }

    fn file(&mut self) {
        self.versions += 1;
        let (device, uid, filed) = {
            let mut stage = on(&self.stage);
            let device = stage.dice.below(self.devices.len());
            let uid = u32::try_from(stage.dice.below(4)).unwrap_or(0);
            let start = some_hour(&mut stage);
            let busy = stage.dice.per_mille(300);
            // What is over is not taken in.
            if start <= stage.now {
                return;
            }
            let filed = Interval::new(start, after(start, 2)).map(|span| Filed { span, busy });
            let filed = if stage.dice.per_mille(300) { None } else { filed };
            stage.say(match filed {
                Some(_) => format!("a file: {uid} {} ({})", clock(start), if busy { "busy" } else { "free" }),
                None => format!("a file cancels {uid}"),
            });
            (device, uid, filed)
        };
        if let Err(error) = self.devices[device].import(uid, self.versions, filed) {
            on(&self.stage).breaks(format!("a file is not taken in: {error}"));
        }
    }

    fn draw_run(&mut self) -> (usize, Direction, Weather) {
        let mut stage = on(&self.stage);
        let device = stage.dice.below(self.devices.len());
        let direction = stage.dice.weighed(&[
            (6, Direction::Bidirectional),
            (1, Direction::ToCalendar),
            (1, Direction::FromCalendar),
        ]);
        let mut weather = Weather::default();
        match stage.dice.below(8) {
            0 | 1 => {}
            2 => weather.lies = 120,
            3 => weather.lies = 350,
            4 => weather.edits = 150,
            5 => {
                let moment = stage.dice.one(&[Moment::Before, Moment::After]);
                weather.death = Some((1 + stage.dice.below(40), moment));
            }
            6 => {
                let lie = stage.dice.one(&[Lie::Unreachable, Lie::ReplyLost, Lie::RateLimited, Lie::Failing]);
                weather.outage = Some((1 + stage.dice.below(20), 1 + stage.dice.below(6), lie));
            }
            _ => {
                weather.lies = 150;
                weather.edits = 60;
                let moment = stage.dice.one(&[Moment::Before, Moment::After]);
                weather.death = Some((1 + stage.dice.below(60), moment));
            }
        }
        if stage.dice.per_mille(40) {
            let personal = RemoteCalendarId("personal".to_owned());
            let which = stage.target().filter(|_| stage.dice.per_mille(600)).unwrap_or(personal);
            weather.gone = Some((1 + stage.dice.below(20), which));
        }
        (device, direction, weather)
    }

    fn sync(&mut self, device: usize, direction: Direction, weather: Weather, alone: bool) {
        self.runs += 1;
        let name = self.devices[device].name();
        {
            let mut stage = on(&self.stage);
            let now = clock(stage.now);
            stage.say(format!("the {name} syncs {direction:?} at {now}"));
        }
        let ended = self.devices[device].run(direction, weather);
        let mut stage = on(&self.stage);
        match ended {
            Ended::Killed => stage.say(format!("the {name} was killed")),
            Ended::Broken(what) => stage.breaks(what),
            Ended::Reported(report) => {
                let b = report.bookings;
                stage.say(format!(
                    "the {name} is done: {} created, {} updated, {} removed, {} asked, {} errors",
                    b.created,
                    b.updated,
                    b.removed,
                    report.decisions.len(),
                    report.errors.len()
                ));
                if !stage.disturbed && direction == Direction::Bidirectional {
                    holds::at_peace(&mut stage, &report, alone);
                }
            }
        }
        holds::always(&mut stage);
    }

    /// Everything answers and nobody interferes: each device gets two runs, and then has nothing left to do.
    fn end_in_peace(&mut self) {
        on(&self.stage).say("from here on, peace");
        for round in 0..3 {
            for device in 0..self.devices.len() {
                let writes = on(&self.stage).world.writes;
                let settled = self.devices.len() == 1 || round > 0;
                self.sync(device, Direction::Bidirectional, Weather::default(), settled);
                if self.is_broken() {
                    return;
                }
                let mut stage = on(&self.stage);
                let is_done = round > 0 && self.devices.len() == 1 || round > 1;
                if is_done && stage.world.writes != writes {
                    stage.breaks("nothing changed, and the sync wrote again");
                    return;
                }
            }
        }
    }
}
