//! Writes what she sets in the window into `settings.toml`, beside whatever else stands there: her own lines, comments and
//! their order stay. A file that cannot be read is not written over.

use std::io::Write;

use jiff::civil::Time;
use sync::error::Code;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::problem::Problem;
use crate::profile::Profile;
use crate::settings::{NotificationSettings, Settings, Theme, UpdateSettings, load};
use crate::words::Language;

/// What the window can set for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Nothing follows the system.
    pub language: Option<Language>,
    pub theme: Theme,
    pub notifications: NotificationSettings,
    pub updates: UpdateSettings,
}

impl Preferences {
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let Settings { language, theme, notifications, updates, .. } = *settings;
        Self { language, theme, notifications, updates }
    }
}

/// Puts them into the profile's settings.
///
/// # Errors
/// When the file that is there makes no sense, or the disk says no: what was there is still there then.
pub fn keep(profile: &Profile, preferences: &Preferences) -> Result<(), Problem> {
    rewrite(profile, |text| written(text, preferences))
}

/// Puts what `change` makes of the profile's settings in their place. Its error reads on after a name.
///
/// # Errors
/// As [`keep`].
pub fn rewrite(
    profile: &Profile,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(), Problem> {
    let file = profile.settings_file();
    let before = load(&file, |text| Settings::parse(text).map(|_| text.to_owned()))?;
    let after = change(&before).map_err(|reason| refused(&reason))?;
    if after == before {
        return Ok(());
    }
    profile.create()?;
    // A link that she made to a file elsewhere stays a link.
    let place = std::fs::canonicalize(&file).unwrap_or(file);
    let put = || -> std::io::Result<()> {
        let folder = place.parent().unwrap_or_else(|| profile.root());
        let mut fresh = tempfile::Builder::new().prefix(".settings-").tempfile_in(folder)?;
        fresh.write_all(after.as_bytes())?;
        fresh.as_file().sync_all()?;
        fresh.persist(&place).map_err(|error| error.error)?;
        Ok(())
    };
    put().map_err(|error| refused(&error.to_string()))
}

/// The file with these preferences in it. The error reads on after a name.
fn written(text: &str, preferences: &Preferences) -> Result<String, String> {
    let mut file: DocumentMut = text.parse().map_err(|_| "it is no TOML".to_owned())?;
    let root = file.as_table_mut();
    let language = preferences.language.map(|language| match language {
        Language::English => "en",
        Language::French => "fr",
    });
    let theme = match preferences.theme {
        Theme::System => None,
        Theme::Light => Some("light"),
        Theme::Dark => Some("dark"),
    };
    set(root, "language", language.map(value));
    set(root, "theme", theme.map(value));

    let UpdateSettings { check } = preferences.updates;
    set_in(root, "updates", [("check", (!check).then(|| value(false)))])?;

    let NotificationSettings { on, quiet_from, quiet_until } = preferences.notifications;
    let time = |time: Time| value(time.strftime("%H:%M").to_string());
    let told = [
        ("on", (!on).then(|| value(false))),
        ("quiet_from", quiet_from.map(time)),
        ("quiet_until", quiet_until.map(time)),
    ];
    set_in(root, "notifications", told)?;

    let text = file.to_string();
    let read = Settings::parse(&text)?;
    (Preferences::of(&read) == *preferences).then_some(text).ok_or_else(|| "it does not take them".to_owned())
}

/// Puts items into one table of the file, or takes them out; an empty table goes.
fn set_in<const N: usize>(
    root: &mut Table,
    name: &str,
    items: [(&str, Option<Item>); N],
) -> Result<(), String> {
    let table = root.entry(name).or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| format!("{name} is no table"))?;
    for (key, item) in items {
        match item {
            Some(item) => drop(table.insert(key, item)),
            None => drop(table.remove(key)),
        }
    }
    if table.is_empty() {
        root.remove(name);
    }
    Ok(())
}

/// Keeps what stands around a value that is there already.
fn set(table: &mut Table, key: &str, item: Option<Item>) {
    match item {
        Some(item) => match table.get_mut(key) {
            Some(there) => {
                let around = there.as_value().map(|value| value.decor().clone());
                *there = item;
                if let (Some(around), Some(value)) = (around, there.as_value_mut()) {
                    *value.decor_mut() = around;
                }
            }
            None => drop(table.insert(key, item)),
        },
        None => drop(table.remove(key)),
    }
}

fn refused(reason: &str) -> Problem {
    Problem::new(Code::SettingsInvalid, format!("The settings could not be written: {reason}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERS: &str =
        "# mine\nlanguage = \"en\" # for the salon\n\n[sync]\n# often\nfrequency_minutes = 3\n";

    fn french() -> Preferences {
        Preferences { language: Some(Language::French), ..Preferences::default() }
    }

    #[test]
    fn her_own_lines_and_comments_stay() {
        let fresh = written(HERS, &french()).unwrap();
        assert_eq!(fresh, HERS.replace("\"en\"", "\"fr\""));
    }

    #[test]
    fn what_is_set_comes_back_and_what_is_usual_leaves_no_trace() {
        let quiet = NotificationSettings {
            on: false,
            quiet_from: Some(Time::constant(21, 30, 0, 0)),
            quiet_until: Some(Time::constant(8, 0, 0, 0)),
        };
        let updates = UpdateSettings { check: false };
        let all = Preferences { theme: Theme::Dark, notifications: quiet, updates, ..french() };
        let full = written("", &all).unwrap();
        assert_eq!(Preferences::of(&Settings::parse(&full).unwrap()), all);
        assert_eq!(written(&full, &Preferences::default()).unwrap(), "");
    }

    #[test]
    fn a_broken_file_is_left_as_it_is_and_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(dir.path())).unwrap();
        std::fs::write(profile.settings_file(), "[no such thing]").unwrap();
        assert_eq!(keep(&profile, &french()).unwrap_err().code, Code::SettingsInvalid);
        assert_eq!(std::fs::read_to_string(profile.settings_file()).unwrap(), "[no such thing]");
    }

    #[test]
    fn a_profile_without_settings_gets_some() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("new"))).unwrap();
        keep(&profile, &french()).unwrap();
        assert_eq!(Preferences::of(&profile.settings().unwrap()), french());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_settings_elsewhere_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile::at(Some(&dir.path().join("profile"))).unwrap();
        profile.create().unwrap();
        let elsewhere = dir.path().join("shared.toml");
        std::fs::write(&elsewhere, HERS).unwrap();
        std::os::unix::fs::symlink(&elsewhere, profile.settings_file()).unwrap();
        keep(&profile, &french()).unwrap();
        assert!(std::fs::symlink_metadata(profile.settings_file()).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&elsewhere).unwrap().contains("\"fr\" # for the salon"));
    }
}
