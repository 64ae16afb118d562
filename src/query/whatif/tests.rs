//! What is told beforehand is what the views say afterwards: a generated town of three chunks, on two workers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dataflows::types::{Month, Word};

use super::{Answer, Change, Kind, Members, Side, Standing, Wanted, diff, sweep};
use crate::engine::Engine;
use crate::generate::{Settings, Telling, World};
use crate::intake::{Intake, Taken, landed};
use crate::programme::{self, Document, Source, number, reference};
use crate::query::sight::Sight;
use crate::query::{Reading, rows, view};
use crate::store::memory::Memory;
use crate::store::{Store, StoreError};

struct Town {
    intake: Intake,
    _engine: Engine,
}

impl Town {
    fn new() -> Town {
        let home = tempfile::tempdir().expect("a directory");
        let settings = Settings {
            customers: 5_000,
            months: 5,
            from: Month::new(2009, 5),
            seed: 7,
            feeds: Vec::new(),
            usage: Telling::Monthly,
            plain: true,
            bad_rows: 0,
            control: false,
        };
        World::new(&settings).and_then(|world| world.write(home.path(), &|_| {})).expect("a town");
        let store = Store::open(Arc::new(Memory::default()), [7; 32]).expect("the store opens");
        let engine = Engine::start(2, |_| {}).expect("the workers start");
        let begun = Intake::begin(store, engine.hub(), |_| Ok(document(&[])), jiff::Timestamp::now);
        let intake = begun.expect("the service starts");
        let files = landed(home.path()).expect("listed").files;
        intake
            .take(files, &|_| {}, &mut |name, taken| {
                assert!(!matches!(taken, Taken::Rejected(_)), "{}: {taken:?}", name.name);
            })
            .expect("nothing fails");
        assert!(intake.hub().settle());
        Town { intake, _engine: engine }
    }

    fn reading(&self) -> Reading {
        self.intake.readings().reading(Sight::everything())
    }

    fn publish(&self, document: Document) {
        self.intake.publish_alone(document).expect("a store that takes programmes").expect("workers");
    }

    /// The rows of a view, as text.
    fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let (reading, mut all) = (self.reading(), Vec::new());
        rows::<StoreError>(view(name).expect("a view"), reading.sources(), &mut |cells| {
            all.push(cells.iter().map(ToString::to_string).collect());
            Ok(())
        })
        .expect("it is read");
        all
    }

    /// Customers by a column of a view, and what else their rows say.
    fn by(&self, name: &str, of: usize, customer: usize) -> Lists {
        let mut lists = Lists::new();
        for row in self.rows(name) {
            lists.entry(row[of].clone()).or_default().insert(row[customer].clone(), row[2..].to_vec());
        }
        lists
    }
}

type Lists = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// An edit: in which file which text becomes which.
type Edit = (&'static str, &'static str, &'static str);

/// The reference programme with edits.
fn document(edits: &[Edit]) -> Document {
    let mut sources = reference();
    for (file, from, to) in edits {
        let source = sources.iter_mut().find(|source| source.name == *file).expect("a file of the programme");
        assert!(source.text.contains(from), "{file} has no {from:?}");
        source.text = source.text.replacen(from, to, 1);
    }
    programme::parse(sources).unwrap_or_else(|problems| {
        let is_error = |problem: &&programme::Diagnostic| problem.severity == programme::Severity::Error;
        panic!("{}", problems.iter().find(is_error).expect("an error"))
    })
}

const SEGMENTS: &str = "30-segments.toml";
const CAMPAIGNS: &str = "60-campaigns.toml";

/// Edits by what they edit. Each begins at the reference programme, and follows another.
const EDITS: &[(&str, &[Edit])] = &[
    ("nothing", &[]),
    ("a bound of a segment", &[(SEGMENTS, "avg_fee >= 100 and usage.roaming_calls > 2", "avg_fee >= 60")]),
    (
        "a new segment, of a list and of words that nobody has",
        &[(
            SEGMENTS,
            "[[segment]]\nid = \"student\"",
            "[[segment]]\nid = \"fresh\"\nwhen = \"on_list.car_owner or city = 'Atlantis' or usage.flying_min > 0\"\n\
         [[segment]]\nid = \"student\"",
        )],
    ),
    (
        "a segment that is gone, and two in other places",
        &[
            (SEGMENTS, "[[segment]]\nid = \"housewife\"", "[[segment]]\nid = \"homemaker\""),
            (SEGMENTS, "id = \"farmer\"", "id = \"swap\""),
            (SEGMENTS, "id = \"driver\"", "id = \"farmer\""),
            (SEGMENTS, "id = \"swap\"", "id = \"driver\""),
        ],
    ),
    ("a segment that asks for the tier", &[(SEGMENTS, "age >= 60 or (", "tier = 'F' and age >= 50 or (")]),
    (
        "a bound of a tier, and a segment that asks for it",
        &[
            ("20-tiers.toml", "avg_fee < 80 and change_roaming_fee >= 10", "avg_fee < 60 and change_roaming_fee >= 5"),
            (SEGMENTS, "age >= 60 or (", "tier in ('E', 'D') or ("),
        ],
    ),
    (
        "a tier without a last one that takes the rest",
        &[("20-tiers.toml", "name = \"ordinary (普通型)\"", "when = \"avg_fee > 30\"")],
    ),
    ("the population", &[("10-settings.toml", "status <> 'closed'", "status = 'active' and age > 20")]),
    ("the window", &[("10-settings.toml", "window = 3 ", "window = 2 ")]),
    (
        "points, and a segment that asks for them",
        &[
            (
                "40-points.toml",
                "id = \"login\"\non = \"login\"\npoints = 1",
                "id = \"login\"\non = \"login\"\npoints = 9",
            ),
            (
                "40-points.toml",
                "id = \"register\"\non = \"register\"\npoints = 10",
                "id = \"register\"\non = \"register\"\npoints = 0",
            ),
            (SEGMENTS, "age >= 60 or (", "points > 40 or ("),
        ],
    ),
    (
        "ranks",
        &[
            ("40-points.toml", "from = 401", "from = 21"),
            (SEGMENTS, "age >= 60 or (", "rank = 'first lieutenant' or ("),
        ],
    ),
    ("an audience", &[(CAMPAIGNS, "terminal.mms and usage.mms_p2p = 0", "terminal.mms and age < 40")]),
    (
        "a campaign more",
        &[(
            CAMPAIGNS,
            "[[campaign]]\nid = \"first_mms\"",
            "[[campaign]]\nid = \"spring\"\naudience = \"avg_fee > 50\"\nchannels = [\"app\", \"sms\"]\npriority = 90\n\
         holdout = 0.2\nrandom_arm = 0.1\n[[campaign]]\nid = \"first_mms\"",
        )],
    ),
    (
        "a campaign less",
        &[
            (CAMPAIGNS, "[[campaign]]\nid = \"newspaper_survey\"", "[[campaign]]\nid = \"newspaper_poll\""),
            (CAMPAIGNS, "campaign = \"newspaper_survey\"", "campaign = \"newspaper_poll\""),
        ],
    ),
    (
        "a holdout, and the channels' order",
        &[
            (
                CAMPAIGNS,
                "channels = [\"app\", \"sms\"]\nquiet = [\"22:00-08:00\"]\nholdout = 0.1",
                "channels = [\"sms\", \"app\"]\nquiet = [\"22:00-08:00\"]\nholdout = 0.4",
            ),
            ("10-settings.toml", "holdout = 0.0 ", "holdout = 0.1 "),
        ],
    ),
    (
        "caps, and how many lists",
        &[
            ("10-settings.toml", "contacts = 2, days = 7", "contacts = 1, days = 90"),
            ("10-settings.toml", "max_open = 1 ", "max_open = 3 "),
        ],
    ),
    (
        "other packs",
        &[(
            "50-packs.toml",
            "products = [\"fetion\", \"sports_short_news\"]",
            "products = [\"sports_short_news\", \"fetion\", \"139mail\"]",
        )],
    ),
];

/// What of a change the views say.
fn changed(before: Option<&BTreeMap<String, Vec<String>>>, after: Option<&BTreeMap<String, Vec<String>>>) -> Change {
    let ids = |list: Option<&BTreeMap<String, Vec<String>>>| -> BTreeSet<String> {
        list.into_iter().flatten().map(|(customer, _)| customer.clone()).collect()
    };
    let (before, after) = (ids(before), ids(after));
    let members = Members {
        added: after.difference(&before).cloned().collect(),
        removed: before.difference(&after).cloned().collect(),
    };
    let count = |of: usize| of as u64;
    Change {
        before: count(before.len()),
        after: count(after.len()),
        added: count(members.added.len()),
        removed: count(members.removed.len()),
        members: Some(members),
    }
}

/// Everything that views tell of lists.
struct Seen {
    segments: Lists,
    tiers: Lists,
    targets: Lists,
    excluded: BTreeMap<(String, String), i64>,
    ranks: BTreeMap<String, i64>,
}

impl Seen {
    fn of(town: &Town) -> Seen {
        let counts = |name: &str, key: fn(&[String]) -> (String, String)| {
            town.rows(name).iter().map(|row| (key(row), row[row.len() - 1].parse().expect("a count"))).collect()
        };
        let ranks: BTreeMap<(String, String), i64> = counts("rank_count", |row| (row[0].clone(), String::new()));
        Seen {
            segments: town.by("segment_member", 0, 1),
            tiers: town.by("tier", 1, 0),
            targets: town.by("target", 0, 1),
            excluded: counts("target_excluded", |row| (row[0].clone(), row[1].clone())),
            ranks: ranks.into_iter().map(|((rank, _), count)| (rank, count)).collect(),
        }
    }

    /// Contacts of a campaign, in fen: of the rows of target product, channel and arm are left.
    fn cost(&self, reading: &Reading, campaign: &str) -> i128 {
        let unit = |channel: &String| {
            let word = reading.dictionary.read().words.find(channel).map(Word).expect("a channel is a word");
            i128::from(reading.published.catalog.channel(word).unit_cost.unwrap_or(0))
        };
        let rows = self.targets.get(campaign).into_iter().flatten();
        rows.filter(|(_, row)| row[2] != "control").map(|(_, row)| unit(&row[1])).sum()
    }
}

fn fen(text: &str) -> i128 {
    text.replace('.', "").parse().expect("yuan with two places")
}

fn check(told: &Answer, (before, after): (&Seen, &Seen), reading: &Reading, edit: &str) {
    for group in &told.segments {
        let id = group.id.as_ref().expect("segments have ids");
        let expected = changed(before.segments.get(id), after.segments.get(id));
        assert_eq!(group.change, expected, "segment {id}: {edit}");
    }
    for group in &told.tiers {
        let id = group.id.clone().unwrap_or_default();
        assert_eq!(group.change, changed(before.tiers.get(&id), after.tiers.get(&id)), "tier {id}: {edit}");
    }
    let tier = |lists: &Lists| -> BTreeMap<String, String> {
        lists.iter().flat_map(|(tier, of)| of.keys().map(|customer| (customer.clone(), tier.clone()))).collect()
    };
    let (was, is) = (tier(&before.tiers), tier(&after.tiers));
    let mut moves: BTreeMap<(Option<&String>, Option<&String>), u64> = BTreeMap::new();
    for customer in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        if was.get(customer) != is.get(customer) {
            *moves.entry((was.get(customer), is.get(customer))).or_default() += 1;
        }
    }
    let standing = |standing: &Standing| match standing {
        Standing::Tier(id) => Some(id.clone()),
        Standing::None { row } => row.then(String::new),
    };
    let told_moves: Vec<_> =
        told.tier_moves.iter().map(|of| ((standing(&of.from), standing(&of.to)), of.customers)).collect();
    assert_eq!(told_moves.len(), moves.len(), "{edit}");
    for ((from, to), customers) in told_moves {
        assert_eq!(moves.get(&(from.as_ref(), to.as_ref())), Some(&customers), "{from:?} to {to:?}: {edit}");
    }
    let (mut costs, mut caps) = ((0, 0), (0, 0));
    for list in &told.targets {
        let (id, lists) = (&list.id, (before.targets.get(&list.id), after.targets.get(&list.id)));
        assert_eq!(list.change, changed(lists.0, lists.1), "campaign {id}: {edit}");
        let stays = lists.0.into_iter().flatten().filter_map(|(customer, row)| Some((row, lists.1?.get(customer)?)));
        assert_eq!(list.changed, stays.filter(|(was, is)| was != is).count() as u64, "campaign {id}: {edit}");
        for arm in ["target", "control", "random"] {
            let count = |list: Option<&BTreeMap<String, Vec<String>>>| {
                list.into_iter().flatten().filter(|(_, row)| row[2] == arm).count() as i64
            };
            let told = list.arms.iter().find(|told| told.arm == arm).map_or((0, 0), |told| (told.before, told.after));
            assert_eq!(told, (count(lists.0), count(lists.1)), "campaign {id}, {arm}: {edit}");
        }
        let of = |seen: &Seen| -> BTreeMap<String, i64> {
            let own = seen.excluded.iter().filter(|((campaign, _), _)| campaign == id);
            own.map(|((_, reason), count)| (reason.clone(), *count)).collect()
        };
        let (was, is) = (of(before), of(after));
        let reasons: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        assert_eq!(list.excluded.len(), reasons.len(), "campaign {id}: {edit}");
        for told in &list.excluded {
            let count = |of: &BTreeMap<String, i64>| of.get(&told.reason).copied().unwrap_or(0);
            assert_eq!((told.before, told.after), (count(&was), count(&is)), "{id}, {}: {edit}", told.reason);
        }
        let cap = |of: &BTreeMap<String, i64>| of.get("cap").copied().unwrap_or(0);
        caps = (caps.0 + cap(&was), caps.1 + cap(&is));
        let cost = (before.cost(reading, id), after.cost(reading, id));
        assert_eq!((fen(&list.cost.before), fen(&list.cost.after)), cost, "campaign {id}: {edit}");
        costs = (costs.0 + cost.0, costs.1 + cost.1);
    }
    assert_eq!((told.over_cap.before, told.over_cap.after), caps, "{edit}");
    let cost = (fen(&told.cost.before), fen(&told.cost.after), fen(&told.cost.change));
    assert_eq!(cost, (costs.0, costs.1, costs.1 - costs.0), "{edit}");
    for rank in &told.ranks {
        let count = |seen: &Seen| seen.ranks.get(rank.id.as_deref().unwrap_or_default()).copied().unwrap_or(0);
        assert_eq!((rank.before, rank.after), (count(before), count(after)), "rank {:?}: {edit}", rank.id);
    }
    if told.ranks.is_empty() {
        assert_eq!(before.ranks, after.ranks, "{edit}");
    }
}

#[test]
fn what_is_told_beforehand_is_what_the_views_say_afterwards() {
    let town = Town::new();
    let mut before = Seen::of(&town);
    let mut reached = BTreeMap::new();
    for (place, (edit, edits)) in EDITS.iter().enumerate() {
        let document = document(edits);
        let reading = town.reading();
        let words = reading.dictionary.read().words.len();
        let told = diff(&reading, &document, &Wanted::First(usize::MAX));
        let quick = diff(&reading, &document, &Wanted::First(0));
        assert_eq!(
            quick.targets.iter().map(|list| list.change.added).collect::<Vec<_>>(),
            told.targets.iter().map(|list| list.change.added).collect::<Vec<_>>()
        );
        // Nothing is disturbed: no epoch, no word, no row.
        assert!(Arc::ptr_eq(&reading.published, &town.intake.hub().published()), "{edit}");
        assert_eq!(town.reading().dictionary.read().words.len(), words, "{edit}");
        assert_eq!(told.epoch, reading.published.epoch);
        town.publish(document);
        let after = Seen::of(&town);
        check(&told, (&before, &after), &town.reading(), edit);
        let mut reach = |what: &'static str, count: u64| *reached.entry(what).or_insert(0) += count.min(1);
        for (what, changes) in [
            ("segment", told.segments.iter().map(|group| &group.change).collect::<Vec<_>>()),
            ("tier", told.tiers.iter().map(|group| &group.change).collect()),
            ("target", told.targets.iter().map(|list| &list.change).collect()),
        ] {
            let sum: u64 = changes.iter().map(|change| change.added + change.removed).sum();
            reach(what, sum);
            // Each edit moves somebody, but for the first, which is the programme in force.
            reach("edit", u64::from(sum > 0));
        }
        reach("changed", told.targets.iter().map(|list| list.changed).sum());
        reach("ranks", told.ranks.len() as u64);
        reach("over cap", told.over_cap.before.abs_diff(told.over_cap.after));
        assert!(place > 0 || told.not_told.is_empty(), "{:?}", told.not_told);
        before = after;
    }
    for (what, least) in [("segment", 9), ("tier", 5), ("target", 8), ("changed", 3), ("ranks", 2), ("over cap", 1)] {
        assert!(reached[what] >= least, "{what}: {reached:?}");
    }
}

#[test]
fn a_sweep_is_the_edits_of_its_numbers() {
    let town = Town::new();
    let reading = town.reading();
    let numbers: Vec<_> = ["0", "40.5", "80", "5000"].iter().map(|text| number(text).expect("a number")).collect();
    let programme = &reading.published.programme;
    let swept = [
        (
            "segment student: avg_fee < ?",
            Kind::Segment,
            SEGMENTS,
            "avg_fee < 80 and usage.sms_p2p > 30",
            "avg_fee < {} and usage.sms_p2p > 30",
        ),
        ("segment:business_person:avg_fee>=?", Kind::Segment, SEGMENTS, "avg_fee >= 100 and", "avg_fee >= {} and"),
        ("tier E: avg_fee < ?", Kind::Tier, "20-tiers.toml", "avg_fee < 80", "avg_fee < {}"),
        ("campaign securities_call: avg_fee >= 150", Kind::Campaign, CAMPAIGNS, "avg_fee >= 150", "avg_fee >= {}"),
    ];
    for (what, kind, file, from, to) in swept {
        let told = sweep(&reading, programme, what, &numbers).unwrap_or_else(|why| panic!("{what}: {why}"));
        assert!(told.at.iter().any(|at| at.size != told.before), "{what}: {told:?}");
        for (at, text) in told.at.iter().zip(["0", "40.5", "80", "5000"]) {
            assert_eq!(at.at, text);
            let to: &'static str = to.replace("{}", text).leak();
            let answer = diff(&reading, &document(&[(file, from, to)]), &Wanted::First(0));
            let change = match kind {
                Kind::Segment => {
                    answer.segments.into_iter().find(|of| of.id.as_ref() == Some(&told.id)).map(|of| of.change)
                }
                Kind::Tier => answer.tiers.into_iter().find(|of| of.id.as_ref() == Some(&told.id)).map(|of| of.change),
                Kind::Campaign => answer.targets.into_iter().find(|of| of.id == told.id).map(|of| of.change),
            };
            let change = change.expect("what is swept is there");
            let expected = (change.before, change.after, change.added, change.removed);
            assert_eq!((told.before, at.size, at.added, at.removed), expected, "{what} at {text}");
        }
    }
    for (what, why) in [
        ("student", "expected segment, tier or campaign"),
        ("segment studnt", "did you mean \"student\"?"),
        ("segment student: avg_fee > ?", "has no such bound; it has: \"age >= 16\", \"age <= 26\", \"avg_fee < 80\""),
        ("segment student", "has more than one such bound: \"age >= 16\""),
        ("segment farmer", "compares nothing with a number"),
        ("tier F", "takes the rest: it has no rule"),
    ] {
        let told = sweep(&reading, programme, what, &numbers).expect_err(what);
        assert!(told.contains(why), "{what}: {told}");
    }
    assert!(sweep(&reading, programme, "segment student: avg_fee < ?", &[]).is_err());
}

#[test]
fn one_side_of_a_list_is_told_whole() {
    let town = Town::new();
    let (reading, edited) = (town.reading(), document(EDITS[1].1));
    let all = diff(&reading, &edited, &Wanted::First(usize::MAX));
    let of = |answer: &Answer| {
        let group = answer.segments.iter().find(|group| group.id.as_deref() == Some("business_person"));
        group.expect("it is there").change.members.clone().expect("it is asked for")
    };
    let one = diff(&reading, &edited, &Wanted::All(Kind::Segment, "business_person".to_owned(), Side::Added));
    assert!(of(&one).added.len() > 100 && of(&one).removed.is_empty());
    assert_eq!(of(&one).added, of(&all).added);
    let few = diff(&reading, &edited, &Wanted::First(3));
    assert_eq!(of(&few).added, of(&all).added[..3]);
    assert!(few.not_told.iter().any(|told| told.what.starts_with("effect_by")));
}

/// Sources are kept as they are: a programme of none is an edit too.
#[test]
fn a_programme_of_nothing_empties_every_list() {
    let town = Town::new();
    let empty = programme::parse(Vec::<Source>::new()).expect("nothing is a programme");
    let told = diff(&town.reading(), &empty, &Wanted::First(0));
    let changes = told.segments.iter().chain(&told.tiers).map(|group| &group.change);
    let changes: Vec<&Change> = changes.chain(told.targets.iter().map(|list| &list.change)).collect();
    assert!(changes.iter().all(|change| change.after == 0 && change.removed == change.before));
    assert!(changes.iter().filter(|change| change.before > 0).count() > 20, "{changes:?}");
}
