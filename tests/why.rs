//! Explanations never disagree with the views: a province, and every customer of it under the reference programme.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cohortflow::engine::Engine;
use cohortflow::generate::{Settings, Telling, World};
use cohortflow::intake::{Intake, Taken, landed};
use cohortflow::programme;
use cohortflow::query::sight::Sight;
use cohortflow::query::why::{Asked, Checked, Clause, Explainer, Of, Row, Unknown, Verdict, Why};
use cohortflow::query::{Reading, rows, view};
use cohortflow::store::memory::Memory;
use cohortflow::store::{Store, StoreError};
use dataflows::types::Month;

/// A province as it was taken, and the directory that it lies in.
struct Province {
    intake: Intake,
    _engine: Engine,
    landing: tempfile::TempDir,
}

impl Province {
    fn new(customers: u64) -> Province {
        let landing = tempfile::tempdir().expect("a directory");
        let settings = Settings {
            customers,
            months: 8,
            from: Month::new(2009, 1),
            seed: 7,
            feeds: Vec::new(),
            usage: Telling::Daily,
            plain: true,
            bad_rows: 500,
            control: false,
        };
        World::new(&settings).expect("a world").write(landing.path(), &|_| {}).expect("written");
        let store = Store::open(Arc::new(Memory::single()), [7; 32]).expect("the store opens");
        let engine = Engine::start(2, |_| {}).expect("the workers start");
        let reference = |_: Option<&[cohortflow::store::Source]>| {
            programme::parse(programme::reference()).map_err(|_| anyhow::anyhow!("refused"))
        };
        let intake = Intake::begin(store, engine.hub(), reference, jiff::Timestamp::now).expect("it begins");
        let files = landed(landing.path()).expect("listed").files;
        let mut taken = |name: &cohortflow::ingest::names::FileName, taken: Taken| {
            assert!(matches!(taken, Taken::Accepted { .. }), "{}: {taken:?}", name.name);
        };
        intake.take(files, &|_| {}, &mut taken).expect("nothing fails");
        assert!(intake.hub().settle());
        Province { intake, _engine: engine, landing }
    }

    fn reading(&self) -> Reading {
        self.intake.readings().reading(Sight::everything())
    }

    fn explainer(&self) -> Explainer {
        Explainer::new(self.intake.hub().published(), self.intake.names())
    }

    /// The rows of a view, as texts.
    fn rows(&self, name: &str) -> Vec<Vec<String>> {
        let reading = self.reading();
        let mut read = Vec::new();
        rows::<StoreError>(view(name).expect("a view"), reading.sources(), &mut |cells| {
            read.push(cells.iter().map(ToString::to_string).collect());
            Ok(())
        })
        .expect("nothing fails");
        read
    }

    /// Everybody, whether or not a customer file names him.
    fn customers(&self) -> Vec<String> {
        let names = self.intake.names();
        let names = names.read();
        (0..names.customers.len() as u32).filter_map(|number| names.customers.text(number).map(str::to_owned)).collect()
    }

    fn filled(&self, mut why: Why) -> Why {
        let origins = self.intake.store().lock().origins(why.keys());
        why.fill(&origins.find().expect("the log is read"));
        why
    }
}

/// What the clauses below a clause come to when they are joined again.
fn joined(clause: &Clause) -> Verdict {
    let of = |verdict: Verdict| clause.clauses.iter().filter(|below| below.verdict == verdict).count();
    let (holding, failing, unknown) = (of(Verdict::True), of(Verdict::False), of(Verdict::Unknown));
    let all = clause.clauses.len();
    match clause.joined_by.as_deref() {
        None => {
            assert!(clause.clauses.is_empty(), "{}", clause.clause);
            clause.verdict
        }
        Some("and") if failing > 0 => Verdict::False,
        Some("or") if holding > 0 => Verdict::True,
        Some("and" | "or") if unknown > 0 => Verdict::Unknown,
        Some("and") => Verdict::True,
        Some("or") => Verdict::False,
        Some("not") => {
            assert_eq!(all, 1);
            match clause.clauses[0].verdict {
                Verdict::True => Verdict::False,
                Verdict::False => Verdict::True,
                Verdict::Unknown => Verdict::Unknown,
            }
        }
        Some(at_least) => {
            let least: usize =
                at_least.strip_prefix("at_least ").and_then(|count| count.parse().ok()).expect("a count");
            if holding >= least { Verdict::True } else { Verdict::False }
        }
    }
}

/// Every clause is what those below it come to, and says so.
fn adds_up(clause: &Clause) {
    assert_eq!(joined(clause), clause.verdict, "{clause:?}");
    clause.clauses.iter().for_each(adds_up);
    let drives = clause.values.iter().filter_map(|value| value.drive.as_deref().map(|drive| (value, drive)));
    for (value, drive) in drives {
        adds_up(drive);
        assert_eq!(value.value.as_deref(), Some(if drive.verdict == Verdict::True { "true" } else { "false" }));
    }
    // A value that is null leaves its comparison unknown.
    let is_compared =
        clause.operator.as_deref().is_some_and(|operator| ["=", "<>", "<", "<=", ">", ">="].contains(&operator));
    if is_compared && clause.sides.is_none() && clause.values.iter().any(|value| value.value.is_none()) {
        assert_eq!(clause.verdict, Verdict::Unknown, "{clause:?}");
    }
}

fn holds(clause: Option<&Clause>) -> bool {
    clause.is_none_or(|clause| clause.verdict == Verdict::True)
}

#[test]
fn every_explanation_is_what_the_views_say() {
    let province = Province::new(300);
    let (explainer, customers) = (province.explainer(), province.customers());
    let programme = province.intake.document().programme.clone();
    let listed: BTreeSet<String> = province.rows("customer_attribute").into_iter().map(|row| row[0].clone()).collect();
    assert!(customers.len() >= 300 && listed.len() >= 300);
    let why = |id: &str, asked: &Asked| explainer.why(id, asked).expect("known");

    let members: BTreeSet<(String, String)> =
        province.rows("segment_member").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let mut told = 0;
    for segment in &programme.segments {
        for id in &customers {
            let why = why(id, &Asked::Segment(segment.id.clone()));
            let is_member = members.contains(&(segment.id.clone(), id.clone()));
            assert_eq!(why.verdict, is_member, "{id} {}", segment.id);
            let Of::Segment(of) = &why.of else { panic!("{why:?}") };
            adds_up(&of.rule);
            why.population.iter().for_each(adds_up);
            let is_inside = listed.contains(id) && holds(why.population.as_ref()) && holds(Some(&of.rule));
            assert_eq!(is_inside, is_member, "{id} {}: {why:?}", segment.id);
            told += usize::from(is_member);
        }
    }
    assert!(told > 300, "{told} members");

    let tiers: BTreeMap<String, Vec<String>> =
        province.rows("tier").into_iter().map(|row| (row[0].clone(), row[1..].to_vec())).collect();
    for id in &customers {
        let why = why(id, &Asked::Tier);
        let Of::Tier(tier) = &why.of else { panic!("{why:?}") };
        assert_eq!(why.verdict, tiers.contains_key(id));
        if let Some([held, since]) = tiers.get(id).map(Vec::as_slice) {
            assert_eq!(
                (tier.id.clone().unwrap_or_default(), tier.since.clone().unwrap_or_default()),
                (held.clone(), since.clone())
            );
            let first = tier.rungs.iter().find(|rung| rung.verdict == Verdict::True).map(|rung| rung.id.clone());
            assert_eq!(first.unwrap_or_default(), *held, "{id}");
            let best = programme.tiers.iter().map(|tier| &tier.id).take(tier.rungs.len());
            assert!(tier.rungs.iter().map(|rung| &rung.id).eq(best));
        }
        tier.rungs.iter().filter_map(|rung| rung.rule.as_ref()).for_each(adds_up);
    }

    let balances: BTreeMap<String, Vec<String>> =
        province.rows("points_balance").into_iter().map(|row| (row[0].clone(), row[1..].to_vec())).collect();
    let mut entries: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    province
        .rows("points_entry")
        .into_iter()
        .for_each(|row| entries.entry(row[0].clone()).or_default().push(row[1..].to_vec()));
    assert!(balances.len() > 50);
    for id in &customers {
        let why = why(id, &Asked::Balance);
        let Of::Balance(balance) = &why.of else { panic!("{why:?}") };
        assert_eq!(why.verdict, balances.contains_key(id));
        assert_eq!(balance.entries.iter().map(|entry| entry.points).sum::<i64>(), balance.balance, "{id}");
        assert_eq!(balance.by_rule.values().sum::<i64>(), balance.balance, "{id}");
        let mut own: Vec<Vec<String>> = balance
            .entries
            .iter()
            .map(|entry| vec![entry.entry_id.clone(), entry.at.clone(), entry.rule.clone(), entry.points.to_string()])
            .collect();
        own.sort();
        let mut read = entries.get(id).cloned().unwrap_or_default();
        read.sort();
        assert_eq!(own, read, "{id}");
        if let Some(row) = balances.get(id) {
            let told =
                [balance.balance, balance.earned, balance.forfeited, balance.adjusted].map(|number| number.to_string());
            assert_eq!(told[..], row[..4]);
            assert_eq!(balance.rank.clone().unwrap_or_default(), row[4]);
        }
    }
    let nobody = explainer.why("nobody at all", &Asked::Tier);
    assert_eq!(nobody.expect_err("unknown"), Unknown::Customer);
    assert!(matches!(explainer.why(&customers[0], &Asked::Segment("nothing".into())), Err(Unknown::Name { .. })));
}

#[test]
fn every_list_is_explained_as_it_is() {
    let province = Province::new(300);
    let (explainer, customers) = (province.explainer(), province.customers());
    let programme = province.intake.document().programme.clone();
    let targets: BTreeMap<(String, String), Vec<String>> =
        province.rows("target").into_iter().map(|row| ((row[0].clone(), row[1].clone()), row[2..].to_vec())).collect();
    assert!(programme.campaigns.len() > 5 && targets.len() > 100, "{}", targets.len());
    let mut excluded: BTreeMap<(String, String), i64> = BTreeMap::new();
    for campaign in &programme.campaigns {
        for id in &customers {
            let why = explainer.why(id, &Asked::Target(campaign.id.clone())).expect("known");
            let row = targets.get(&(campaign.id.clone(), id.clone()));
            let Of::Target(target) = &why.of else { panic!("{why:?}") };
            assert_eq!(why.verdict, row.is_some(), "{id} {}: {why:?}", campaign.id);
            adds_up(&target.audience);
            let told = [&target.product_id, &target.channel_id].map(|text| text.clone().unwrap_or_default());
            match row {
                Some(row) => {
                    assert_eq!((told, target.arm), ([row[0].clone(), row[1].clone()], Some(row[2].as_str())).clone());
                    assert_eq!(target.arm == Some("random"), !holds(Some(&target.audience)), "{id}");
                    assert!(holds(why.population.as_ref()) && target.lives_there != Some(false) && !target.is_over);
                    assert!(target.checks.iter().all(|check| check.verdict == Checked::Passed), "{target:?}");
                    assert!(target.listed_by.contains(&campaign.id));
                }
                None => {
                    assert!(target.arm.is_none() && target.channel_id.is_none());
                    let failed: Vec<&str> = target
                        .checks
                        .iter()
                        .filter(|check| check.verdict == Checked::Failed)
                        .map(|check| check.reason.as_str())
                        .collect();
                    assert_eq!(failed, target.excluded.iter().map(String::as_str).collect::<Vec<_>>(), "{target:?}");
                    let is_outside =
                        !holds(Some(&target.audience)) && target.random_from.is_none_or(|from| target.draw < from);
                    assert!(!(is_outside && target.excluded.is_some()), "{target:?}");
                }
            }
            if let Some(reason) = &target.excluded {
                *excluded.entry((campaign.id.clone(), reason.clone())).or_default() += 1;
            }
        }
    }
    let counted: BTreeMap<(String, String), i64> = province
        .rows("target_excluded")
        .into_iter()
        .map(|row| ((row[0].clone(), row[1].clone()), row[2].parse().expect("a count")))
        .collect();
    assert!(counted.len() > 3, "{counted:?}");
    assert_eq!(excluded, counted);
}

/// A line of a file.
fn line(landing: &Path, row: &Row) -> String {
    let text = std::fs::read_to_string(landing.join(&row.file)).unwrap_or_else(|error| panic!("{}: {error}", row.file));
    let line = row.line.unwrap_or_else(|| panic!("{row:?} has no line"));
    text.lines().nth(line as usize - 1).unwrap_or_else(|| panic!("{row:?} has no such line")).to_owned()
}

#[test]
fn the_rows_behind_a_value_are_those_of_its_files() {
    let province = Province::new(120);
    let explainer = province.explainer();
    let programme = province.intake.document().programme.clone();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for id in province.customers().iter().take(40) {
        let mut asked = vec![Asked::Tier, Asked::Balance];
        asked.extend(programme.segments.iter().take(12).map(|segment| Asked::Segment(segment.id.clone())));
        asked.extend(programme.campaigns.iter().take(6).map(|campaign| Asked::Target(campaign.id.clone())));
        for asked in &asked {
            let why = province.filled(explainer.why(id, asked).expect("known"));
            let text = serde_json::to_value(&why).expect("it is told");
            let mut rows = Vec::new();
            collect(&text, &mut rows);
            for (attribute, row) in rows {
                let delivered = line(province.landing.path(), &row);
                // What another member handed over names both.
                assert!(delivered.contains(id.as_str()), "{attribute} of {id}: {row:?} is {delivered}");
                *seen.entry(row.feed).or_default() += 1;
            }
            if let Of::Balance(balance) = &why.of {
                for entry in &balance.entries {
                    assert!(!entry.evidence.rows.is_empty(), "{entry:?}");
                }
            }
        }
    }
    for feed in ["bill", "customer", "usage", "member_event", "order"] {
        assert!(seen.contains_key(feed), "{seen:?}");
    }
    // An average is that of its bills.
    let of_fee = |id: &str| {
        let why = province.filled(explainer.why(id, &Asked::Tier).expect("known"));
        serde_json::to_value(&why).expect("it is told")
    };
    let bills = province.customers().iter().map(|id| of_fee(id).to_string().matches("\"feed\":\"bill\"").count()).max();
    assert!(bills >= Some(3), "{bills:?}");
}

fn collect(value: &serde_json::Value, rows: &mut Vec<(String, Row)>) {
    match value {
        serde_json::Value::Object(fields) => {
            let name = ["attribute", "reason", "entry_id"].iter().find_map(|key| fields.get(*key)?.as_str());
            for row in fields.get("rows").and_then(serde_json::Value::as_array).into_iter().flatten() {
                let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
                let feed = dataflows::records::Feed::ALL.into_iter().map(dataflows::records::Feed::name);
                let row = Row {
                    feed: feed.into_iter().find(|name| row["feed"] == **name).expect("a feed"),
                    period: text("period"),
                    part: text("part"),
                    version: 1,
                    file: text("file"),
                    line: row["line"].as_u64(),
                };
                rows.push((name.unwrap_or_default().to_owned(), row));
            }
            fields.values().for_each(|value| collect(value, rows));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect(value, rows)),
        _ => {}
    }
}
