//! `[settings]`: what decides views goes to the dataflow's programme, the rest to the taking of files.

use dataflows::programme::{Debts, MONTHS_MAX, Programme, WINDOW_MAX};
use dataflows::stages::Stages;
use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::activity;
use super::campaigns::limits;
use super::decimals;
use super::diagnostic::{Problems, quoted};
use super::near;
use super::outline::{Entry, entries, kind_of};
use super::values;

/// The settings that views do not depend on once the rows are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IngestSettings {
    /// Its IANA name, as [`IngestSettings::zone`] has it.
    pub timezone: String,
    /// Local time of the programme.
    pub zone: TimeZone,
    /// Largest share of bad rows that a file may have, as an exact fraction in lowest terms (numerator,
    /// denominator).
    pub max_bad_rows: (u64, u64),
    /// `control = "required"`: a file without its control file is refused.
    pub control_required: bool,
    /// `same_version = "replace"`: other content under the accepted version is taken.
    pub same_version_replace: bool,
    /// `clock = "wall"`: `serve` takes wall time for `now`, not the latest row's.
    pub clock_wall: bool,
}

/// The zone where the programme names none.
const TIMEZONE_DEFAULT: &str = "Asia/Shanghai";

impl Default for IngestSettings {
    fn default() -> IngestSettings {
        IngestSettings {
            timezone: TIMEZONE_DEFAULT.to_owned(),
            // Bundled with the binary, as every zone is.
            zone: TimeZone::get(TIMEZONE_DEFAULT).unwrap_or(TimeZone::UTC),
            max_bad_rows: (1, 100),
            control_required: false,
            same_version_replace: false,
            clock_wall: false,
        }
    }
}

const KEYS: [&str; 18] = [
    "timezone",
    "window",
    "lag",
    "history",
    "clock",
    "population",
    "max_bad_rows",
    "control",
    "same_version",
    "negative_balance",
    "active_measures",
    "stages",
    "caps",
    "caps_exempt",
    "max_open",
    "holdout",
    "decline_days",
    "later_days",
];
const STAGE_KEYS: [&str; 3] = ["new_days", "silent_days", "lapsed_days"];
/// Longest stage in days: a century.
const STAGE_DAYS_MAX: i64 = 36_525;

/// Reads the section into `programme`. Also gives the entry of `population`, whose rule needs the rest of
/// the programme to be checked.
pub(super) fn read<'a>(
    entries: &[Entry<'a>],
    programme: &mut Programme,
    problems: &mut Problems<'_>,
) -> (IngestSettings, Option<Entry<'a>>) {
    let mut settings = IngestSettings::default();
    let mut population = None;
    for entry in entries {
        match entry.key {
            "timezone" => {
                if let Some(zone) = timezone(entry, problems) {
                    settings.timezone = zone.iana_name().unwrap_or("UTC").to_owned();
                    settings.zone = zone;
                }
            }
            "window" => set(&mut programme.window, values::months(entry, 1, WINDOW_MAX, problems)),
            "lag" => set(&mut programme.lag, values::months(entry, 0, MONTHS_MAX, problems)),
            "history" => set(&mut programme.history, values::months(entry, 1, MONTHS_MAX, problems)),
            "clock" => set(&mut settings.clock_wall, second(entry, ["data", "wall"], problems)),
            "control" => set(&mut settings.control_required, second(entry, ["optional", "required"], problems)),
            "same_version" => {
                set(&mut settings.same_version_replace, second(entry, ["reject", "replace"], problems));
            }
            "negative_balance" => {
                let place = values::one_of(entry, &["allow_negative", "claw_back_next", "write_off"], problems);
                programme.debts = [Debts::AllowNegative, Debts::ClawBackNext, Debts::WriteOff][place.unwrap_or(0)];
            }
            "max_bad_rows" => set(&mut settings.max_bad_rows, decimals::share(entry, problems)),
            "population" => population = Some(*entry),
            "stages" => programme.stages = stages(entry, problems),
            "active_measures" => programme.active_measures = activity::setting(entry, problems),
            "caps" | "caps_exempt" | "max_open" | "holdout" | "decline_days" | "later_days" => {
                limits::setting(entry, &mut programme.limits, problems);
            }
            other => {
                let message = format!("unknown setting {}", quoted(other));
                problems.error(entry.key_place, message, near::hint_or_list(other, KEYS));
            }
        }
    }
    (settings, population)
}

fn stages(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Stages {
    let mut stages = Stages::default();
    let DeValue::Table(table) = entry.value else {
        let message = format!("stages is {}, expected a table of days", kind_of(entry.value));
        let hint = "write stages = { new_days = 30, silent_days = 30, lapsed_days = 90 }".to_owned();
        problems.error(entry.place, message, hint);
        return stages;
    };
    for key in entries(table, entry.place.file) {
        let days = match key.key {
            "new_days" => &mut stages.new_days,
            "silent_days" => &mut stages.silent_days,
            "lapsed_days" => &mut stages.lapsed_days,
            other => {
                let message = format!("unknown key {} of stages", quoted(other));
                problems.error(key.key_place, message, near::hint_or_list(other, STAGE_KEYS));
                continue;
            }
        };
        set(days, values::whole(&key, 0, STAGE_DAYS_MAX, problems).and_then(|days| u32::try_from(days).ok()));
    }
    if stages.silent_days > stages.lapsed_days {
        let Stages { silent_days, lapsed_days, .. } = stages;
        let message = format!("silent_days is {silent_days}, more than lapsed_days, which is {lapsed_days}");
        problems.error(entry.place, message, "a member is silent before he has lapsed".to_owned());
    }
    stages
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// Whether it is the second of two words.
fn second(entry: &Entry<'_>, words: [&str; 2], problems: &mut Problems<'_>) -> Option<bool> {
    values::one_of(entry, &words, problems).map(|found| found == 1)
}

fn timezone(entry: &Entry<'_>, problems: &mut Problems<'_>) -> Option<TimeZone> {
    let name = values::text(entry, "the name of a time zone", problems)?;
    // A zone without a name ("Local") would read differently on another machine.
    let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
    if zone.is_none() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let hint = near::hint(name, known.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| format!("an IANA name, such as {TIMEZONE_DEFAULT}"));
        problems.error(entry.place, format!("timezone is {}, which is not known", quoted(name)), hint);
    }
    zone
}
