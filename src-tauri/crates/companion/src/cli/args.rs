//! What may be typed. Everything else is refused with exit status 2.

use std::path::PathBuf;

use calendar::busy::AllDayRule;
use clap::{Parser, Subcommand, ValueEnum};
use sync::world::Direction;

#[derive(Debug, Parser)]
#[command(
    name = "companion",
    version,
    about = "Keeps your calendars and your Bookiji bookings true to each other",
    after_help = "Exit status: 0 done; 1 something failed; 2 wrong usage; 3 done, but you must decide something; \
                  4 partly done, the rest is retried."
)]
pub struct Args {
    /// The folder that holds the database, settings and logs [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// A folder that holds several vendors' profiles, one in each sub-folder; for status, sync and decisions
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "profile")]
    pub profiles: Option<PathBuf>,
    /// Print one JSON document on stdout, and errors as JSON on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// What the words allow one by one and not together.
    ///
    /// # Errors
    /// As any wrong usage.
    pub fn check(&self) -> Result<(), clap::Error> {
        if self.profiles.is_none() || self.command.for_all().is_some() {
            return Ok(());
        }
        Err(<Self as clap::CommandFactory>::command().error(
            clap::error::ErrorKind::ArgumentConflict,
            "--profiles is for status, sync and decisions. This command is about one vendor: name her folder with \
             --profile DIR.",
        ))
    }
}

/// What may be asked of every vendor of a front desk at once.
#[derive(Clone, Copy, Debug)]
pub enum ForAll<'a> {
    Status,
    Sync(&'a SyncArgs),
    Decisions { standing: bool },
}

impl Command {
    /// Nothing where it is about one vendor.
    #[must_use]
    pub fn for_all(&self) -> Option<ForAll<'_>> {
        match self {
            Self::Status => Some(ForAll::Status),
            Self::Sync(args) => Some(ForAll::Sync(args)),
            Self::Decisions { standing: None } => Some(ForAll::Decisions { standing: false }),
            Self::Decisions { standing: Some(None) } => Some(ForAll::Decisions { standing: true }),
            Self::Decisions { standing: Some(Some(_)) }
            | Self::Login(_)
            | Self::Logout
            | Self::Connect { .. }
            | Self::Disconnect { .. }
            | Self::Calendars(_)
            | Self::Busy(_)
            | Self::Explain { .. }
            | Self::Unblock(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Invite(_)
            | Self::Decide { .. }
            | Self::History { .. }
            | Self::Undo { .. }
            | Self::Pause(_)
            | Self::Block(_)
            | Self::Resume
            | Self::Forget(_)
            | Self::Bundle { .. }
            | Self::Doctor => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show connections, calendars and when they were last synced
    Status,
    /// Sign in to Bookiji with the browser, or with --email; the password is then read from stdin
    Login(LoginArgs),
    /// Sign out of Bookiji
    Logout,
    /// Link a calendar account
    Connect {
        #[command(subcommand)]
        service: ConnectService,
    },
    /// Unlink an account; Bookiji drops its busy time
    Disconnect {
        /// Its id or address, as `status` shows them
        connection: String,
        /// Also take every event of ours out of its calendars, and slots made of imported files back
        #[arg(long)]
        remove_events: bool,
    },
    /// Sync nothing by itself for a while
    Pause(PauseArgs),
    /// End the pause
    Resume,
    /// Block time from now on, so that nobody can book it
    Block(BlockArgs),
    /// List calendars, or choose what each one is for
    Calendars(CalendarsArgs),
    /// Sync once, show what a sync would do, or keep syncing
    Sync(SyncArgs),
    /// Show the times that calendars or .ics files block, and why
    Busy(BusyArgs),
    /// Say why a moment can or cannot be booked
    Explain {
        /// An RFC 3339 instant, or a local time in your zone such as 2026-03-29T14:00
        moment: String,
    },
    /// Let a time be booked just this once, whatever your calendars say
    Unblock(UnblockArgs),
    /// Take .ics files in: busy events block time, free ones become slots
    Import(ImportArgs),
    /// Write bookings and slots as an .ics file
    Export(ExportArgs),
    /// Write an invitation to one booking, with add-to-calendar links
    Invite(InviteArgs),
    /// Show what waits for you
    Decisions {
        /// Show what is answered without asking you; or set it, as KIND=OPTION, or end it, as KIND=ask
        #[arg(long, value_name = "KIND=OPTION", num_args = 0..=1)]
        standing: Option<Option<String>>,
    },
    /// Answer what waits for you
    Decide {
        /// The question's id, as `decisions` shows it
        id: String,
        /// One of its options
        option: String,
        /// Answer all questions of its kind so from now on
        #[arg(long)]
        always: bool,
    },
    /// Show past syncs, newest first
    History {
        /// One run in full, with what it wrote: its id, or as much of its beginning as no other has
        run: Option<String>,
    },
    /// Take back what a run wrote, where nobody changed it since
    Undo {
        /// The run's id as `history` shows it, or as much of its beginning as no other has; or `latest`
        run: String,
    },
    /// Check everything that a sync needs, layer by layer
    Doctor,
    /// Write what whoever helps you needs into a text file that names nobody
    Bundle {
        /// The file to write [default: companion-TIME.txt here]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Erase what this computer knows of you, and its secrets; Bookiji drops your busy time first
    Forget(ForgetArgs),
}

#[derive(Debug, clap::Args)]
pub struct ForgetArgs {
    /// Do it; without this, what would be erased is listed and nothing is done
    #[arg(long)]
    pub yes: bool,
    /// First take every event of ours out of your calendars, and slots made of imported files back
    #[arg(long, conflicts_with = "offline")]
    pub remove_events: bool,
    /// Erase without telling Bookiji, which goes on blocking what it was sent
    #[arg(long)]
    pub offline: bool,
}

#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// The address you use on Bookiji; without it, you sign in with the browser
    #[arg(long)]
    pub email: Option<String>,
    /// Who vouches for you in the browser: google or github
    #[arg(long, value_name = "NAME", default_value = "google", conflicts_with = "email")]
    pub provider: String,
    /// Print the sign-in address alone on one line of stderr instead of opening a browser
    #[arg(long, conflicts_with = "email")]
    pub no_browser: bool,
}

#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// How long, such as 2h or 90min [default: until `companion resume`]
    #[arg(long = "for", value_name = "LENGTH", conflicts_with = "until")]
    pub length: Option<String>,
    /// Until this moment: RFC 3339, or a local time in your zone such as 2026-03-29T14:00
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct UnblockArgs {
    /// An RFC 3339 instant, or a local time in your zone such as 2026-03-29T14:00
    pub moment: String,
    /// How long, such as 90min or 2h; slots that begin in it are opened whole [default: 30min]
    #[arg(long = "for", value_name = "LENGTH")]
    pub length: Option<String>,
    /// Block it again, as your calendars say
    #[arg(long)]
    pub take_back: bool,
}

#[derive(Debug, clap::Args)]
pub struct BlockArgs {
    /// How long, such as 30min or 2h [default: the rest of the day]
    #[arg(long = "for", value_name = "LENGTH")]
    pub length: Option<String>,
    /// Let a block be booked again: the `block` that `--json` told of it
    #[arg(long, value_name = "BLOCK", conflicts_with = "length")]
    pub take_back: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ConnectService {
    /// Google Calendar, by signing in with the browser
    Google {
        /// Print the sign-in address alone on one line of stderr instead of opening a browser
        #[arg(long)]
        no_browser: bool,
        /// Also ask to write into calendars you made yourself, so that bookings may go there
        #[arg(long)]
        own_calendar: bool,
    },
    /// Outlook, for personal and work accounts, by signing in to Microsoft with the browser
    Outlook {
        /// Print the sign-in address alone on one line of stderr instead of opening a browser
        #[arg(long)]
        no_browser: bool,
    },
    /// iCloud, Fastmail, Nextcloud or any other CalDAV server; the password is read from stdin
    Caldav {
        /// The server's address, or icloud or fastmail; with a mail address as the user name, its domain says it
        #[arg(long, required_unless_present_any = ["preset", "username"])]
        url: Option<String>,
        /// The user name; an Apple ID or an e-mail address with most providers
        #[arg(long)]
        username: Option<String>,
        /// The service, where its address is known or it signs in with the browser (nextcloud, with --url)
        #[arg(long)]
        preset: Option<Preset>,
        /// With Nextcloud's own sign-in, print its address alone on one line of stderr instead of opening a browser
        #[arg(long)]
        no_browser: bool,
    },
    /// A calendar link (https or webcal) that is read now and then
    IcsFeed {
        /// The link, or - to read it from stdin; it is kept in the keychain, since who knows it can read the calendar
        #[arg(long)]
        url: String,
        /// What to call it [default: its own name]
        #[arg(long)]
        name: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    Icloud,
    Fastmail,
    Nextcloud,
}

#[derive(Debug, clap::Args)]
pub struct CalendarsArgs {
    /// Exactly these calendars block time (id or name; `none` for no calendar)
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub busy: Vec<String>,
    /// Bookings go to this calendar
    #[arg(long, value_name = "ID")]
    pub target: Option<String>,
    /// How all-day events count, in the calendars named with --busy or else in all
    #[arg(long, value_name = "RULE")]
    pub all_day: Option<AllDay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum AllDay {
    Ignore,
    BlockIfBusy,
    AlwaysBlock,
}

impl From<AllDay> for AllDayRule {
    fn from(rule: AllDay) -> Self {
        match rule {
            AllDay::Ignore => Self::Ignore,
            AllDay::BlockIfBusy => Self::BlockIfBusy,
            AllDay::AlwaysBlock => Self::AlwaysBlock,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct SyncArgs {
    #[arg(long, value_enum, default_value = "bidirectional")]
    pub direction: Way,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "watch")]
    pub dry_run: bool,
    /// Keep syncing until interrupted
    #[arg(long, conflicts_with = "direction")]
    pub watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Way {
    Bidirectional,
    ToCalendar,
    FromCalendar,
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::Bidirectional => Self::Bidirectional,
            Way::ToCalendar => Self::ToCalendar,
            Way::FromCalendar => Self::FromCalendar,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct BusyArgs {
    /// Calendar files; without any, the calendars of the profile
    pub files: Vec<PathBuf>,
    /// From this moment (RFC 3339) or day on [default: now]
    #[arg(long, value_name = "T")]
    pub from: Option<String>,
    /// Until just before this moment (RFC 3339) or day [default: 30 days later]
    #[arg(long, value_name = "T")]
    pub to: Option<String>,
    /// Where all-day and floating times are, e.g. Europe/Paris [default: the vendor's zone, or this computer's]
    #[arg(long, value_name = "IANA")]
    pub zone: Option<String>,
}

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Calendar files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What becomes of free times that meet slots you already have
    #[arg(long, value_name = "CHOICE")]
    pub on_conflict: Option<OnConflict>,
    /// Show what would be taken in, and take nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum OnConflict {
    /// The file's times replace open slots that nobody booked
    Replace,
    /// The file's times fill what no slot covers
    Merge,
    /// Your slots stay as they are
    Skip,
}

#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// From this day on
    #[arg(long, value_name = "DATE")]
    pub from: String,
    /// Up to and including this day
    #[arg(long, value_name = "DATE")]
    pub to: String,
    /// Also closed slots
    #[arg(long)]
    pub include_blocked: bool,
    /// Also what is over
    #[arg(long)]
    pub include_past: bool,
    /// How much of a booking is told
    #[arg(long, value_name = "HOW", value_enum, default_value = "full")]
    pub describe: Describe,
    /// The file to write [default: bookiji-FROM-TO.ics here; - for stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Describe {
    /// Service, customer, notes and the booking's id
    Full,
    /// The service alone
    Short,
    /// That there is a booking, and nothing of it
    None,
}

impl From<Describe> for crate::export::Describe {
    fn from(describe: Describe) -> Self {
        match describe {
            Describe::Full => Self::Full,
            Describe::Short => Self::Short,
            Describe::None => Self::None,
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct InviteArgs {
    /// The booking's id, or as much of its beginning as no other has
    pub booking: String,
    /// Take the invitation back
    #[arg(long)]
    pub cancel: bool,
    /// The file to write [default: booking-ID.ics here; - for stdout]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_holds_together() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn every_promised_command_is_taken_with_its_options() {
        for line in [
            "companion status --json",
            "companion --profile folder status",
            "companion login --email me@example.com",
            "companion logout",
            "companion connect google --no-browser --json",
            "companion connect outlook --no-browser --json",
            "companion connect caldav --url https://dav.example.org/ --username me@example.org --json",
            "companion connect caldav --username me@example.org",
            "companion connect caldav --url icloud --username me@example.org",
            "companion connect caldav --preset fastmail --username me@example.org",
            "companion connect caldav --preset nextcloud --url cloud.example.org --no-browser",
            "companion disconnect google-0123",
            "companion disconnect google-0123 --remove-events --json",
            "companion pause",
            "companion pause --for 2h",
            "companion block",
            "companion block --for 30min",
            "companion pause --until 2026-03-29T14:00",
            "companion resume",
            "companion forget",
            "companion forget --yes --remove-events --json",
            "companion forget --yes --offline",
            "companion calendars --busy cal-1 cal-2 --target cal-3 --all-day always_block",
            "companion sync --direction to_calendar --dry-run",
            "companion sync --watch -v",
            "companion --profiles salon sync --watch",
            "companion --profiles salon sync --dry-run --json",
            "companion --profiles salon status --json",
            "companion --profiles salon decisions",
            "companion busy a.ics b.ics --from 2026-01-01 --to 2026-02-01 --zone Europe/Paris --json",
            "companion busy",
            "companion history",
            "companion explain 2026-03-29T14:00:00Z --json",
            "companion import a.ics b.ics --on-conflict merge --dry-run",
            "companion export --from 2026-01-01 --to 2026-12-31 --include-blocked --include-past -o year.ics",
            "companion export --from 2026-01-01 --to 2026-12-31 --describe none -o -",
            "companion invite booking-1 --cancel -o invite.ics",
            "companion decisions",
            "companion decisions --standing --json",
            "companion decisions --standing moved=put_back",
            "companion decide card-1 accept",
            "companion decide card-1 put_back --always",
            "companion connect ics-feed --url https://school.example/calendar.ics",
            "companion history run-1",
            "companion undo run-1",
            "companion undo latest --json",
            "companion doctor",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
            assert!(parse(line).unwrap().check().is_ok(), "{line}");
        }
    }

    #[test]
    fn what_is_not_promised_is_wrong_usage() {
        for line in [
            "companion",
            "companion connect hotmail",
            "companion connect caldav",
            "companion connect caldav --url x --username y --password hunter2",
            "companion undo",
            "companion pause --for 2h --until 2026-03-29",
            "companion forget --yes --offline --remove-events",
            "companion login --password hunter2",
            "companion sync --direction sideways",
            "companion sync --watch --dry-run",
            "companion sync --watch --direction to_calendar",
            "companion calendars --all-day sometimes",
            "companion --profiles salon --profile salon/anna status",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        for line in ["login", "calendars", "decide card-1 accept", "undo latest", "import a.ics", "history"] {
            let refused = parse(&format!("companion --profiles salon {line}")).unwrap().check().unwrap_err();
            assert_eq!(refused.exit_code(), 2, "{line}");
            assert!(refused.to_string().contains("--profile DIR"), "{refused}");
        }
        assert_eq!(parse("companion --help").unwrap_err().kind(), ErrorKind::DisplayHelp);
    }
}
