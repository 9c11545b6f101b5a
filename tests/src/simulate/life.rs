//! What happens when: her days, one step after the other, until everything answers and nobody interferes any more.

use std::sync::{Arc, Mutex};

use calendar::interval::Interval;
use jiff::{SignedDuration, Timestamp};
use sync::decide::Question;
use sync::error::MirrorError;
use sync::world::{Choice, Direction};

use super::device::{Device, Ended, Errand, personal};
use super::holds;
use super::mutant::Mutant;
use super::people::{self, Deed, after, some_hour, somebody};
use super::stage::{DEVICES, Filed, Shared, Stage, clock, on};
use super::turns::{Running, go_on};
use super::weather::{Call, Weather};
use crate::world::NOON;

pub struct Life {
    pub stage: Shared,
    devices: Vec<Device>,
    pub runs: usize,
    versions: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Somebody,
    Sync,
    /// Both computers at the same time.
    SyncBoth,
    /// Many bookings, and then most of them are cancelled at once.
    BadDay,
    /// She does something to an event of ours, and answers what she is asked about it.
    Scene,
    Answer,
    DecideForAll,
    TakeBack,
    File,
    Later,
    ClockJump,
    ForgetAll,
}

pub const STEPS: [(u32, Step); 12] = [
    (44, Step::Somebody),
    (30, Step::Sync),
    (6, Step::SyncBoth),
    (2, Step::BadDay),
    (3, Step::Scene),
    (14, Step::Answer),
    (1, Step::DecideForAll),
    (4, Step::TakeBack),
    (5, Step::File),
    (5, Step::Later),
    (2, Step::ClockJump),
    (1, Step::ForgetAll),
];

/// What she does, and how she answers what comes of it.
const SCENES: [(Deed, &[(Question, Choice)]); 3] = [
    // The customer is asked, and then she thinks better of it.
    (Deed::MoveOurs, &[(Question::Moved, Choice::Propose), (Question::Proposed, Choice::PutBack)]),
    (Deed::DeleteOurs, &[(Question::Deleted, Choice::Cancel)]),
    (Deed::AddOver, &[(Question::Overlap, Choice::Cancel)]),
];

/// When in its run a computer falls asleep.
#[derive(Clone, Copy, Debug)]
enum Nap {
    After(usize),
    /// With one in its hands that will be fenced, should the other write meanwhile.
    BeforeAWrite,
}

const NAPS: [Nap; 6] =
    [Nap::BeforeAWrite, Nap::BeforeAWrite, Nap::After(3), Nap::After(7), Nap::After(11), Nap::After(20)];

/// Longer than a lease lives.
const A_NAP: SignedDuration = SignedDuration::from_secs(90);

impl Life {
    #[must_use]
    pub fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let now: Timestamp = NOON.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let mut stage = Stage::of(seed, now);
        let entry = personal();
        let remote = entry.remote.clone();
        stage.world.calendars.entry(remote).or_default().entry = Some(entry);
        let computers = if stage.dice.per_mille(300) { 2 } else { 1 };
        stage.lease.offered = stage.dice.per_mille(500);
        // Not drawn: stories that are known stay what they are.
        stage.leaves_slots = seed % 4 == 3;
        if stage.leaves_slots {
            stage.lease.offered = false;
            stage.counts("a platform that leaves slots to us");
            people::offers_hours(&mut stage);
        }
        stage.creates_at_once = stage.dice.one(&[1, 2, 50]);
        if computers > 1 {
            // Neither knows what the other wrote.
            stage.forgetful = true;
            stage.counts("two computers");
        }
        stage.say(format!(
            "seed {seed}: {}, {}, a platform {} leases{}",
            clock(now),
            if computers > 1 { "a laptop and a desktop" } else { "a laptop" },
            if stage.lease.offered { "with" } else { "without" },
            if stage.leaves_slots { " that closes no slots" } else { "" }
        ));
        let stage = Arc::new(Mutex::new(stage));
        let devices = (0..computers).map(|index| Device::new(index, &stage, mutant)).collect();
        Self { stage, devices, runs: 0, versions: 0 }
    }

    fn is_broken(&self) -> bool {
        on(&self.stage).broken.is_some()
    }

    pub fn live(&mut self) {
        let steps = on(&self.stage).dice.between(10, 34);
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
        let step = {
            let stage = &mut *on(&self.stage);
            let step = stage.dice.weighed(&STEPS);
            stage.counts(format!("step {step:?}"));
            step
        };
        match step {
            Step::Somebody => somebody(&mut on(&self.stage)),
            Step::SyncBoth if self.devices.len() > 1 => self.sync_both(),
            Step::Sync | Step::SyncBoth => {
                let device = self.some_device();
                let (errand, weather) = self.draw_run();
                self.run(device, &errand, weather, self.devices.len() == 1);
                self.afterwards(device);
            }
            Step::BadDay => self.bad_day(),
            Step::Scene => self.scene(),
            Step::Answer => {
                let device = self.some_device();
                self.answer(device);
            }
            Step::DecideForAll => {
                let device = self.some_device();
                let decided = self.devices[device].decide_for_all();
                self.is_kept(decided);
            }
            Step::TakeBack => self.take_back(),
            Step::File => self.file(),
            Step::Later => {
                let stage = &mut *on(&self.stage);
                let hours = stage.dice.between(1, 40);
                stage.passes(SignedDuration::from_mins(60 * hours + 7), None);
                stage.say(format!("it is {} by now", clock(stage.now)));
            }
            Step::ClockJump => self.set_the_clocks(),
            Step::ForgetAll => {
                let device = self.some_device();
                if !on(&self.stage).files.contains_key(&device) {
                    let name = self.devices[device].name();
                    on(&self.stage).say(format!("the {name} loses all it knew"));
                    self.devices[device].forget();
                }
            }
        }
    }

    /// She answers, and often the computer acts on it at once, as the app does.
    fn answer(&mut self, device: usize) {
        let answered = self.devices[device].answer();
        self.act_on(device, answered);
    }

    fn act_on(&mut self, device: usize, answered: Result<Option<Call>, MirrorError>) {
        let call = match answered {
            Ok(call) => call,
            Err(error) => return self.is_kept(Err(error)),
        };
        let weather = {
            let stage = &mut *on(&self.stage);
            stage.dice.per_mille(600).then(|| Weather::at_the_call(&mut stage.dice, call))
        };
        if let Some(weather) = weather.filter(|_| !self.is_broken()) {
            let alone = self.devices.len() == 1;
            self.run(device, &Errand::Sync(Direction::Bidirectional), weather, alone);
        }
    }

    fn bad_day(&mut self) {
        let device = self.some_device();
        let alone = self.devices.len() == 1;
        for _ in 0..3 {
            people::does(&mut on(&self.stage), Deed::Book);
        }
        let weather = {
            let stage = &mut *on(&self.stage);
            if stage.dice.per_mille(300) {
                Weather::at_the_call(&mut stage.dice, Some(Call::CreateAll))
            } else {
                Weather::default()
            }
        };
        self.run(device, &Errand::Sync(Direction::Bidirectional), weather, alone);
        people::does(&mut on(&self.stage), Deed::CancelMany);
        self.run(device, &Errand::Sync(Direction::Bidirectional), Weather::default(), alone);
        if !self.is_broken() {
            self.answer(device);
        }
    }

    fn scene(&mut self) {
        let device = self.some_device();
        let alone = self.devices.len() == 1;
        let (deed, answers): (Deed, &[(Question, Choice)]) = on(&self.stage).dice.one(&SCENES);
        people::does(&mut on(&self.stage), deed);
        for (question, choice) in answers {
            self.run(device, &Errand::Sync(Direction::Bidirectional), Weather::default(), alone);
            if self.is_broken() || on(&self.stage).dice.per_mille(150) {
                return;
            }
            let answered = self.devices[device].answer_so(*question, *choice);
            self.act_on(device, answered);
        }
    }

    fn some_device(&self) -> usize {
        on(&self.stage).dice.below(self.devices.len())
    }

    fn is_kept(&self, kept: Result<(), MirrorError>) {
        if let Err(error) = kept {
            on(&self.stage).breaks(format!("what she decided is not kept: {error}"));
        }
    }

    fn set_the_clocks(&self) {
        let stage = &mut *on(&self.stage);
        let hours = stage.dice.between(-60, 60);
        if hours < 0 {
            stage.counts("a clock that jumps back");
        }
        stage.set_clock(after(stage.now, hours));
        stage.say(format!("the clocks jump to {}", clock(stage.now)));
    }

    fn take_back(&mut self) {
        let device = self.some_device();
        let (_, weather) = self.draw_run();
        let Some(of) = self.devices[device].some_run() else { return };
        {
            let stage = &mut *on(&self.stage);
            stage.counts("a run is taken back");
            if stage.dice.per_mille(400) {
                let touched = stage.dice.one(&[Deed::MoveOurs, Deed::RewordOurs]);
                people::does(stage, touched);
            }
        }
        self.run(device, &Errand::TakeBack(of), weather, false);
    }

    /// What was cut short is often followed by a second thought, and then by another run.
    fn afterwards(&mut self, device: usize) {
        let stage = &mut *on(&self.stage);
        if !stage.runs[device].disturbed || stage.broken.is_some() || !stage.dice.per_mille(400) {
            return;
        }
        match stage.runs[device].last_written.clone() {
            Some(booking) if stage.dice.per_mille(600) => people::thinks_better(stage, &booking),
            Some(_) | None => {
                let deed = stage.dice.one(&[Deed::TakeBack, Deed::TakeBack, Deed::Return, Deed::Rename]);
                people::does(stage, deed);
            }
        }
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
        } else if filed.is_none() {
            // What it offered is taken back by the next run.
            self.act_on(device, Ok(Some(Call::RemoveSlot)));
        }
    }

    fn draw_run(&self) -> (Errand, Weather) {
        let stage = &mut *on(&self.stage);
        let direction = stage.dice.weighed(&[
            (6, Direction::Bidirectional),
            (1, Direction::ToCalendar),
            (1, Direction::FromCalendar),
        ]);
        let target = stage.target();
        (Errand::Sync(direction), Weather::drawn(&mut stage.dice, target))
    }

    fn run(&mut self, device: usize, errand: &Errand, weather: Weather, alone: bool) {
        self.announce(device, errand);
        let ended = self.devices[device].run(errand, weather);
        self.tell(device, errand, ended, alone);
    }

    fn announce(&mut self, device: usize, errand: &Errand) {
        self.runs += 1;
        let (name, stage) = (DEVICES[device], &mut *on(&self.stage));
        let now = clock(stage.now);
        stage.say(match errand {
            Errand::Sync(Direction::Bidirectional) => format!("the {name} syncs, {now}"),
            Errand::Sync(Direction::ToCalendar) => format!("the {name} syncs to her calendar, {now}"),
            Errand::Sync(Direction::FromCalendar) => format!("the {name} syncs from her calendar, {now}"),
            Errand::TakeBack(of) => format!("the {name} takes back the run {of}, {now}"),
        });
    }

    fn tell(&self, device: usize, errand: &Errand, ended: Ended, alone: bool) {
        let (name, stage) = (DEVICES[device], &mut *on(&self.stage));
        stage.device = device;
        match ended {
            Ended::Killed => stage.say(format!("the {name} was killed")),
            Ended::Broken(what) => stage.breaks(what),
            Ended::Reported(report) => {
                let b = report.bookings;
                let stands_by = if report.standing_by.is_some() { ", and stands by" } else { "" };
                stage.say(format!(
                    "the {name} is done: {} created, {} updated, {} removed, {} asked, {} errors{stands_by}",
                    b.created,
                    b.updated,
                    b.removed,
                    report.decisions.len(),
                    report.errors.len()
                ));
                let whole = matches!(errand, Errand::Sync(Direction::Bidirectional));
                if !stage.run().disturbed && whole && report.standing_by.is_none() {
                    holds::at_peace(stage, &report, alone);
                }
            }
        }
        holds::always(stage);
    }

    /// Both computers at the same time, and perhaps one falls asleep in the middle of it: then time passes, the other has
    /// run twice, and it goes on where it was.
    fn sync_both(&mut self) {
        let drawn = [self.draw_run(), self.draw_run()];
        let mut nap = {
            let stage = &mut *on(&self.stage);
            stage.counts("both at once");
            // No key keeps a calendar from being made twice, by one that slept between looking and making.
            let may = stage.target().is_some() && stage.dice.per_mille(500);
            may.then(|| (stage.dice.below(2), stage.dice.one(&NAPS)))
        };
        on(&self.stage).together = true;
        let mut running: Vec<Option<Running<'static>>> = Vec::new();
        for (device, (errand, weather)) in drawn.iter().enumerate() {
            running.push(Some(self.set_off(device, errand, weather.clone())));
        }
        let mut asleep = None;
        let mut is_second = false;
        loop {
            let awake: Vec<usize> =
                (0..2).filter(|device| running[*device].is_some() && asleep != Some(*device)).collect();
            if awake.is_empty() {
                let Some(sleeper) = asleep else { break };
                let other = 1 - sleeper;
                if is_second {
                    on(&self.stage).say(format!("the {} wakes up", DEVICES[sleeper]));
                    asleep = None;
                } else {
                    is_second = true;
                    on(&self.stage).passes(A_NAP, Some(sleeper));
                    running[other] = Some(self.set_off(other, &drawn[other].0, Weather::default()));
                }
                continue;
            }
            let device = on(&self.stage).dice.one(&awake);
            let ended = running[device].as_mut().and_then(|running| go_on(&self.stage, device, running));
            if let Some(ended) = ended {
                running[device] = None;
                self.devices[device].end(&ended);
                self.tell(device, &drawn[device].0, ended, false);
            } else if let Some((sleeper, when)) = nap.filter(|(sleeper, _)| *sleeper == device) {
                let about_to = on(&self.stage).runs[device].about_to;
                nap = match when {
                    Nap::After(1) => None,
                    Nap::BeforeAWrite if about_to.is_some_and(Call::is_fenced) => None,
                    Nap::After(turns) => Some((sleeper, Nap::After(turns - 1))),
                    Nap::BeforeAWrite => nap,
                };
                if nap.is_none() {
                    let stage = &mut *on(&self.stage);
                    stage.counts("asleep in the middle of a run");
                    stage.say(format!("the {} falls asleep", DEVICES[sleeper]));
                    asleep = Some(sleeper);
                }
            }
        }
        on(&self.stage).together = false;
    }

    fn set_off(&mut self, device: usize, errand: &Errand, weather: Weather) -> Running<'static> {
        self.announce(device, errand);
        self.devices[device].begin(errand, weather);
        on(&self.stage).runs[device].disturbed = true;
        self.devices[device].running(errand)
    }

    /// Everything answers and nobody interferes: each device gets its runs, and then has nothing left to do.
    fn end_in_peace(&mut self) {
        on(&self.stage).say("from here on, peace");
        let rounds = self.devices.len() + 1;
        // Whoever died with the lease holds it no longer; whoever takes it now keeps it.
        on(&self.stage).passes(A_NAP, None);
        for round in 0..rounds {
            for device in 0..self.devices.len() {
                let writes = on(&self.stage).world.writes;
                let settled = self.devices.len() == 1 || round > 0;
                self.run(device, &Errand::Sync(Direction::Bidirectional), Weather::default(), settled);
                if self.is_broken() {
                    return;
                }
                let stage = &mut *on(&self.stage);
                if round + 1 == rounds && stage.world.writes != writes {
                    stage.breaks("nothing changed, and the sync wrote again");
                    return;
                }
            }
        }
    }
}
