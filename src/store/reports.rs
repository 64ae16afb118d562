//! Effects of campaigns as they stood when each day closed, in a file beside the log.
//!
//! ```text
//! frame    the epoch, the last day that closed, a column of each field of the steps up to it
//! ```
//!
//! The log does not tell what was known of a day when it closed, since corrections take the place of what they correct.
//! A day is noted with the first epoch that is visible after it, and never again. Words are those of the store's
//! dictionary, so that a file of a time that the log knows nothing of is put aside.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use dataflows::effects::{Effect, Group, days};
use dataflows::types::{Day, Epoch, Word};

use super::beside::{Frames, Kind, Taken};
use super::codec::{Damaged, Reader, Writer};
use super::vfs::Vfs;

/// What is noted of an effect.
pub const NOTED: [Effect; 11] = [
    Effect::There,
    Effect::Contacted,
    Effect::Delivered,
    Effect::Opened,
    Effect::Consulted,
    Effect::Ordered,
    Effect::Complained,
    Effect::OptedOut,
    Effect::Contacts,
    Effect::Revenue(dataflows::effects::Part::Low),
    Effect::Revenue(dataflows::effects::Part::High),
];

/// What an effect came to, by place in [`NOTED`].
pub type Figures = [i64; NOTED.len()];

/// By day, from which on.
pub type Series = BTreeMap<Day, Figures>;

/// Effects as they were when days closed.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Reports {
    /// The last day that is noted.
    pub closed: Option<Day>,
    /// By campaign, arm and channel: what stood from each day on, until the next.
    pub series: BTreeMap<days::Of, Series>,
}

impl Reports {
    /// What a key came to by the end of a day.
    pub fn by(series: &Series, day: Day) -> Figures {
        series.range(..=day).next_back().map_or([0; NOTED.len()], |(_, figures)| *figures)
    }

    /// Closes days up to one: `known` is what every key comes to day by day, as is known now. Gives what is new.
    pub fn close(&mut self, epoch: Epoch, day: Day, known: &BTreeMap<days::Of, Series>) -> Closed {
        let from = self.closed.map(|closed| Day(closed.0 + 1));
        let mut steps = Vec::new();
        for key in known.keys().chain(self.series.keys()).copied().collect::<std::collections::BTreeSet<_>>() {
            let none = Series::new();
            let (known, noted) = (known.get(&key).unwrap_or(&none), self.series.get(&key).unwrap_or(&none));
            let mut last = noted.values().next_back().copied().unwrap_or_default();
            let first = from.map(|from| (from, Reports::by(known, from)));
            let later = known.iter().map(|(day, figures)| (*day, *figures));
            let later = later.filter(|(of, _)| from.is_none_or(|from| *of > from) && *of <= day);
            for (day, figures) in first.into_iter().chain(later) {
                if figures != last {
                    steps.push((key, day, figures));
                    last = figures;
                }
            }
        }
        let closed = Closed { epoch, day, steps };
        self.take(&closed);
        closed
    }

    fn take(&mut self, closed: &Closed) {
        self.closed = Some(closed.day);
        for (key, day, figures) in &closed.steps {
            self.series.entry(*key).or_default().insert(*day, *figures);
        }
    }
}

/// Days that closed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    epoch: Epoch,
    day: Day,
    steps: Vec<(days::Of, Day, Figures)>,
}

const FILE: Kind =
    Kind { name: "reports", next: "reports.next", aside: "reports.aside", magic: b"COHORTRP", format: 1 };

/// What a file must fit: the store that it lies beside.
pub(super) struct Beside {
    pub fingerprint: [u8; 16],
    pub epoch: Epoch,
    pub words: usize,
}

/// The file.
pub struct ReportsFile(Frames);

impl ReportsFile {
    /// Opens the file, or begins one; with what is in it.
    pub(super) fn open(vfs: Arc<dyn Vfs>, beside: &Beside) -> io::Result<(ReportsFile, Reports)> {
        let mut reports = Reports::default();
        let (frames, is_foreign) = Frames::open(vfs, &FILE, beside.fingerprint, |payload| {
            let Ok(closed) = read(&mut Reader::new(payload)) else { return Taken::Damaged };
            let words = closed.steps.iter().flat_map(|((campaign, _, channel), ..)| [campaign.0, channel.0]);
            let is_known = words.max().is_none_or(|word| (word as usize) < beside.words);
            if closed.epoch > beside.epoch || !is_known || reports.closed.is_some_and(|last| last >= closed.day) {
                return Taken::Foreign;
            }
            reports.take(&closed);
            Taken::Kept
        })?;
        Ok((ReportsFile(frames), if is_foreign { Reports::default() } else { reports }))
    }

    /// Notes days that closed.
    pub fn write(&mut self, closed: &Closed) -> io::Result<()> {
        self.0.append(&payload(closed))
    }
}

fn payload(closed: &Closed) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new() };
    let steps = &closed.steps;
    writer.u64(closed.epoch);
    writer.i64(i64::from(closed.day.0));
    writer.u64(steps.len() as u64);
    writer.column(steps.iter().map(|((campaign, ..), ..)| i64::from(campaign.0)));
    writer.column(steps.iter().map(|((_, group, _), ..)| *group as i64));
    writer.column(steps.iter().map(|((.., channel), ..)| i64::from(channel.0)));
    writer.column(steps.iter().map(|(_, day, _)| i64::from(day.0)));
    for place in 0..NOTED.len() {
        writer.column(steps.iter().map(move |(.., figures)| figures[place]));
    }
    writer.bytes
}

fn read(reader: &mut Reader<'_>) -> Result<Closed, Damaged> {
    let (epoch, day) = (reader.u64()?, reader.i64()?);
    let day_of = |day: i64| i32::try_from(day).map(Day).map_err(|_| Damaged("no such day"));
    let word = |word: i64| u32::try_from(word).map(Word).map_err(|_| Damaged("no such word"));
    let group = |group: i64| {
        let group = Group::ALL.into_iter().find(|of| *of as i64 == group);
        group.ok_or(Damaged("no such arm"))
    };
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many steps"))?;
    let [campaign, arm, channel, days] = {
        let mut column = || reader.column_of(count);
        [column()?, column()?, column()?, column()?]
    };
    let figures = NOTED.iter().map(|_| reader.column_of(count)).collect::<Result<Vec<_>, _>>()?;
    let step = |place: usize| {
        let key = (word(campaign[place])?, group(arm[place])?, word(channel[place])?);
        let mut of = Figures::default();
        of.iter_mut().zip(&figures).for_each(|(figure, column)| *figure = column[place]);
        Ok((key, day_of(days[place])?, of))
    };
    Ok(Closed { epoch, day: day_of(day)?, steps: (0..count).map(step).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::super::beside::{FRAME, HEADER};
    use super::super::memory::{Loss, Memory};
    use super::*;

    const BESIDE: Beside = Beside { fingerprint: [7; 16], epoch: 100, words: 10 };
    const KEY: days::Of = (Word(3), Group::Target, Word(4));

    fn known(days: &[(i32, i64)]) -> BTreeMap<days::Of, Series> {
        let figures = |contacted| {
            let mut figures = Figures::default();
            figures[1] = contacted;
            figures
        };
        BTreeMap::from([(KEY, days.iter().map(|(day, contacted)| (Day(*day), figures(*contacted))).collect())])
    }

    fn by(reports: &Reports, day: i32) -> i64 {
        Reports::by(&reports.series[&KEY], Day(day))[1]
    }

    #[test]
    fn a_day_stays_as_it_was_when_it_closed() {
        let mut reports = Reports::default();
        reports.close(1, Day(5), &known(&[(3, 10), (5, 12)]));
        assert_eq!([2, 3, 4, 5].map(|day| by(&reports, day)), [0, 10, 10, 12]);
        // A late row of the third day, and one of the seventh; the sixth shows the late one already.
        reports.close(2, Day(8), &known(&[(3, 11), (5, 13), (7, 20)]));
        assert_eq!([3, 5, 6, 7, 8].map(|day| by(&reports, day)), [10, 12, 13, 20, 20]);
        // All of it is taken back, and what comes after a day that is not over is of no day yet.
        reports.close(3, Day(9), &BTreeMap::new());
        assert_eq!([8, 9].map(|day| by(&reports, day)), [20, 0]);
        reports.close(4, Day(10), &known(&[(11, 5)]));
        assert_eq!(by(&reports, 11), 0);
    }

    #[test]
    fn what_was_noted_is_there_again() {
        let memory = Memory::default();
        let open =
            |memory: &Memory, beside: &Beside| ReportsFile::open(Arc::new(memory.clone()), beside).expect("opened");
        let (mut file, mut reports) = open(&memory, &BESIDE);
        for (epoch, day) in [(1, 5), (4, 8)] {
            let closed = reports.close(epoch, Day(day), &known(&[(3, 10), (7, 20 + epoch as i64)]));
            file.write(&closed).expect("written");
        }
        drop(file);
        assert_eq!(open(&memory.crash(Loss::All), &BESIDE).1, reports);
        for foreign in
            [Beside { fingerprint: [8; 16], ..BESIDE }, Beside { epoch: 3, ..BESIDE }, Beside { words: 4, ..BESIDE }]
        {
            assert_eq!(open(&memory.crash(Loss::All), &foreign).1, Reports::default());
        }
        let bytes = memory.bytes(FILE.name).expect("a file");
        let len = u32::from_le_bytes(std::array::from_fn(|at| bytes[HEADER + at])) as usize;
        let first = HEADER + FRAME..HEADER + FRAME + len;
        for len in 0..bytes.len() {
            let torn = Memory::default();
            torn.put(FILE.name, bytes[..len].to_vec());
            let (_, found) = open(&torn, &BESIDE);
            assert_eq!(found.closed, (len >= first.end).then_some(Day(5)), "{len}");
        }
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..500 {
            let mut bytes = bytes.clone();
            (0..3).for_each(|_| bytes[rng.usize(first.clone())] = rng.u8(..));
            // Whoever changed it has summed it up anew.
            let crc = crc32c::crc32c(&bytes[first.clone()]);
            bytes[HEADER + 4..HEADER + FRAME].copy_from_slice(&crc.to_le_bytes());
            let changed = Memory::default();
            changed.put(FILE.name, bytes);
            open(&changed, &BESIDE);
        }
    }
}
