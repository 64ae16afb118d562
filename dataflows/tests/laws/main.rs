//! The laws that every view is under, over seeded random histories.
//!
//! `HISTORIES` sets how many histories each law is tried on (default 40), `SEED` the first seed. A
//! failure names its seed.

mod campaigns;
mod harness;
mod history;
mod programmes;
mod trials;

use std::sync::Arc;

use dataflows::care::{self, Approach};
use dataflows::facts::Facts;
use dataflows::oracle::{CareRow, DeedRow, PointsEntry, Standing};
use dataflows::records::EventKind;
use dataflows::responses::RESPONSES;
use dataflows::targets::codes;
use dataflows::views::Change;

use harness::{State, run, run_overlapping, run_parts};
use history::{History, emptying};

fn for_each_history(check: impl Fn(u64, &History) + std::panic::RefUnwindSafe) {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let first: u64 = number("SEED", 1);
    for seed in first..first + number("HISTORIES", 40) {
        let history = History::random(seed);
        let result = std::panic::catch_unwind(|| check(seed, &history));
        assert!(result.is_ok(), "the law is broken by the history of seed {seed}");
    }
}

#[test]
fn every_epoch_agrees_with_the_oracle() {
    for_each_history(agrees_with_the_oracle);
}

#[test]
fn lives_that_go_on_agree_with_the_oracle() {
    for_each_history(|seed, _| agrees_with_the_oracle(seed, &history::growing(seed)));
}

#[test]
fn effects_of_days_are_those_of_what_had_been_by_then() {
    for_each_history(|seed, history| {
        let mut standing = Standing::default();
        history.epochs.iter().for_each(|facts| standing.apply(facts));
        let read = run(&history.epochs, 2).pop().expect("an epoch").read;
        let days: std::collections::BTreeSet<_> = read.effect_days.keys().map(|(_, day, _)| *day).collect();
        let mut sums = std::collections::BTreeMap::new();
        for day in days {
            for ((of, _, effect), diff) in read.effect_days.iter().filter(|((_, of, _), _)| *of == day) {
                *sums.entry((*of, *effect)).or_insert(0) += diff;
            }
            sums.retain(|_, sum| *sum != 0);
            assert_eq!(sums, history::effects_by(&standing, day), "seed {seed}, {day:?}");
        }
    });
}

#[test]
fn lists_at_the_edges_of_windows_agree_with_the_oracle() {
    for_each_history(|seed, _| agrees_with_the_oracle(seed, &History { epochs: campaigns::edges(seed) }));
}

fn agrees_with_the_oracle(seed: u64, history: &History) {
    let mut standing = Standing::default();
    let states = run(&history.epochs, 1);
    for (epoch, (facts, state)) in history.epochs.iter().zip(&states).enumerate() {
        standing.apply(facts);
        assert_eq!(state.views, standing.views(), "views, seed {seed}, epoch {epoch}");
        let (read, told) = (&state.read, format!("seed {seed}, epoch {epoch}"));
        assert_eq!(read.attributes, history::attributes(&standing), "attributes, {told}");
        assert_eq!(read.points, history::points(&standing), "points, {told}");
        assert_eq!(read.referrals, history::referrals(&standing), "referrals, {told}");
        assert_eq!(read.tree, standing.tree(), "tree, {told}");
        assert_eq!(read.deeds, history::deeds(&standing), "deeds, {told}");
        assert_eq!(read.numbers, history::numbers(&standing), "numbers, {told}");
        assert_eq!(read.cares, history::cares(&standing), "care, {told}");
        assert_eq!(read.goals, history::goals(&standing), "goals, {told}");
        assert_eq!(read.volumes, standing.volumes, "volumes, {told}");
        assert_eq!(read.reviews, standing.reviews(), "reviews, {told}");
        assert_eq!((&read.shares, &read.sums), (&standing.profiles().0, &standing.profiles().1), "profiles, {told}");
        assert_eq!(read.penetration, history::penetration(&standing), "penetration, {told}");
        assert_eq!(read.fit, standing.fit(), "fit, {told}");
    }
}

/// The laws say nothing of what histories do not reach.
#[test]
fn histories_reach_forests_that_grow_and_move() {
    let (mut deepest, mut moves, mut subtrees, mut losses) = (0, 0, 0, 0);
    for seed in 1..41 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            let before = standing.clone();
            standing.apply(facts);
            let tree = standing.tree();
            deepest = tree.values().map(|row| row.depth).max().unwrap_or(0).max(deepest);
            for customer in before.everybody() {
                let (was, is) = (before.brought_in(customer), standing.brought_in(customer));
                let Some((was, _)) = was else { continue };
                let moved = is.is_some_and(|(is, _)| is != was);
                moves += usize::from(moved);
                subtrees += usize::from(moved && tree.contains_key(&customer));
                losses += usize::from(is.is_none());
            }
        }
    }
    assert!(deepest >= 3 && moves >= 40 && subtrees >= 4 && losses >= 30, "{deepest} {moves} {subtrees} {losses}");
}

#[test]
fn histories_reach_every_way_in_which_points_come_and_go() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 1..41 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            for account in history::points(&standing).into_values() {
                let uses = account.entries.iter().filter(|entry| entry.id.contains(':')).map(|_| "use".to_owned());
                reached.extend(uses.chain(account.entries.iter().map(|entry| entry.rule.clone())));
            }
        }
    }
    let missing: Vec<&str> =
        dataflows::points::CAUSES.into_iter().chain(["use"]).filter(|cause| !reached.contains(*cause)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn histories_reach_points_that_are_handed_on_and_refused() {
    let (mut handed_on, mut refused) = (0, 0);
    for seed in 1..61 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            for (customer, account) in history::points(&standing) {
                let entries = |rule: &'static str| account.entries.iter().filter(move |entry| entry.rule == rule);
                let first = entries("transfer_in").map(|entry| entry.at).min();
                handed_on +=
                    entries("transfer_out").filter(|entry| first.is_some_and(|first| first < entry.at)).count();
                let is_transfer = |entry: &&PointsEntry| {
                    let key = (customer, entry.at, entry.id.as_str().into());
                    standing.events.get(&key).is_some_and(|event| event.kind == EventKind::Transfer)
                };
                refused += entries("refused").filter(is_transfer).count();
            }
        }
    }
    assert!(handed_on >= 20 && refused >= 40, "{handed_on} {refused}");
}

#[test]
fn histories_reach_members_who_leave_and_come_back() {
    let (mut effects, mut idle, mut returns, mut strangers) = (0, 0, 0, 0);
    for seed in 1..41 {
        let mut standing = Standing::default();
        History::random(seed).epochs.iter().for_each(|facts| standing.apply(facts));
        for deeds in history::deeds(&standing).into_values() {
            let is_register = |deed: &&DeedRow| deed.event.kind == EventKind::Register;
            let begins = deeds.iter().filter(is_register).filter(|deed| deed.takes_effect).count();
            effects += begins;
            idle += deeds.iter().filter(is_register).count() - begins;
            returns += begins.saturating_sub(1);
            strangers += deeds.iter().filter(|deed| !deed.member).count();
        }
    }
    assert!(effects >= 40 && idle >= 10 && returns >= 4 && strangers >= 40, "{effects} {idle} {returns} {strangers}");
}

#[test]
fn histories_reach_every_turn_that_care_takes() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 1..41 {
        let (mut standing, mut before) = (Standing::default(), std::collections::BTreeMap::new());
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            let cares = history::cares(&standing);
            let mut reach =
                |what: &'static str, is_reached| *reached.entry(what).or_insert(0) += usize::from(is_reached);
            for (customer, row) in cares.iter().flat_map(|(customer, rows)| rows.iter().map(move |row| (customer, row)))
            {
                let of = |rows: &Vec<CareRow>| rows.iter().find(|was| was.product == row.product).cloned();
                let was = before.get(customer).and_then(of);
                reach("reason", row.reason.is_some());
                reach("no reason", row.used_in.is_none() && row.reason.is_none());
                for task in &row.tasks {
                    reach("due", row.used_in.is_none() && task.state == care::State::Due);
                    reach("planned", row.used_in.is_none() && task.state == care::State::Planned);
                    reach("offer", row.used_in.is_some() && task.state == care::State::Due);
                    reach("offer planned", row.used_in.is_some() && task.state == care::State::Planned);
                    reach("reminder", task.approach == Approach::StoreReminder);
                }
                let Some(was) = was else { continue };
                let is_same = was.opened_on == row.opened_on;
                reach("resolved", is_same && was.used_in.is_none() && row.used_in.is_some());
                reach("back", is_same && was.used_in.is_some() && row.used_in.is_none());
                reach("opened anew", was.opened_on < row.opened_on);
                reach("other reason", is_same && was.reason != row.reason);
            }
            before = cares;
        }
    }
    assert!(reached.len() == 11 && reached.values().all(|count| *count >= 4), "{reached:?}");
}

#[test]
fn histories_reach_scores_of_every_part() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 1..161 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            for (pairs, best) in standing.fit().into_values() {
                reached.insert(format!("best of {}", best.len()));
                for scored in pairs {
                    let pairs = [scored.customer_product, scored.product_channel, scored.customer_channel];
                    let parts = pairs.iter().enumerate().map(|(part, score)| format!("{part}: {}", score / 1_000));
                    reached.extend(parts.chain([format!("whole: {}", scored.score / 1_000)]));
                }
            }
        }
    }
    // Of four scores eleven tenths each, but for a few; and no, one or two best products.
    assert!(reached.len() >= 42, "{}: {reached:?}", reached.len());
}

#[test]
fn histories_reach_users_of_every_kind_in_segments() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 1..41 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            for ((used, segment), users) in history::penetration(&standing) {
                *reached.entry((used.1, segment.is_some())).or_insert(0) += users;
            }
        }
    }
    assert!(reached.len() == 4 && reached.values().all(|users| *users >= 100), "{reached:?}");
}

#[test]
fn histories_reach_every_response_group() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 1..41 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            let contacted: std::collections::BTreeSet<_> = standing.contacts.keys().map(|(who, ..)| *who).collect();
            for group in contacted.into_iter().flat_map(|who| ["sms", "call"].map(|of| standing.response(who, of))) {
                *reached.entry(group).or_insert(0) += 1;
            }
        }
    }
    assert!(reached.len() == RESPONSES.len() && reached.values().all(|count| *count >= 20), "{reached:?}");
}

#[test]
fn histories_reach_every_effect_of_a_campaign() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 1..41 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            reached.extend(standing.views().into_iter().filter_map(|(cell, count)| match cell {
                Change::Effect { group, what, .. } => Some(format!("{group:?} {what:?}")),
                Change::EffectBy { dimension, value, .. } => Some(format!("{dimension:?} {}", value.is_null())),
                Change::EffectRate { arm, what, .. } => Some(format!("{arm:?} {what:?} of {}", count.min(2))),
                Change::Complaint { group, .. } => Some(format!("{group:?} complaint")),
                Change::FirstOrder { .. } => Some("first order".to_owned()),
                Change::Workload { .. } => Some("workload".to_owned()),
                _ => None,
            }));
        }
    }
    // For each arm: 11 counts of customers but contacts, 6 sums; with contacts, delivered, withheld, and rates.
    assert!(reached.len() >= 90, "{}: {reached:?}", reached.len());
}

#[test]
fn histories_reach_every_reason_arm_and_channel_of_a_target() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 1..321 {
        let mut standing = Standing::default();
        for facts in &History::random(seed).epochs {
            standing.apply(facts);
            for (change, count) in standing.views() {
                let what = match change {
                    Change::TargetExcluded { reason, .. } => standing.words[reason.0 as usize].to_string(),
                    Change::TargetCount { channel, arm, .. } => {
                        format!("{} {}", standing.words[channel.0 as usize], arm.name())
                    }
                    _ => continue,
                };
                *reached.entry(what).or_insert(0) += count;
            }
        }
    }
    let arms = ["target", "control", "random"];
    let listed =
        ["sms", "mms", "wap", "call"].into_iter().flat_map(|channel| arms.map(|arm| format!("{channel} {arm}")));
    let expected = codes::REASONS.into_iter().chain(["list:vip"]).map(str::to_owned).chain(listed);
    let missing: Vec<String> = expected.filter(|what| reached.get(what).is_none_or(|count| *count < 4)).collect();
    assert!(missing.is_empty(), "{missing:?} of {reached:?}");
}

#[test]
fn splitting_and_joining_epochs_does_not_change_the_last() {
    for_each_history(|seed, history| {
        let last = run(&history.epochs, 1).pop();
        let joined = run(&[history::joined(&history.epochs)], 1).pop();
        assert_eq!(last, joined, "seed {seed}");
    });
}

#[test]
fn epochs_of_several_parts_are_those_they_end_with() {
    let check = |seed: u64, epochs: &[Arc<Facts>]| {
        let apart = run(epochs, 1);
        for size in [2, 3] {
            let groups: Vec<&[Arc<Facts>]> = epochs.chunks(size).collect();
            let ends: Vec<State> = apart.chunks(size).filter_map(|group| group.last().cloned()).collect();
            assert_eq!(run_parts(&groups, size - 1), ends, "{size} parts an epoch, seed {seed}");
        }
    };
    for_each_history(|seed, history| {
        check(seed, &history.epochs);
        check(seed, &history::growing(seed).epochs);
        check(seed, &campaigns::edges(seed));
    });
}

#[test]
fn retracting_everything_leaves_every_view_empty() {
    for_each_history(|seed, history| {
        let mut epochs = history.epochs.clone();
        epochs.push(emptying(&history.epochs));
        let last = run(&epochs, 2).pop().expect("an epoch");
        assert_eq!(last, State::default(), "seed {seed}");
    });
}

#[test]
fn one_two_and_four_workers_agree() {
    for_each_history(|seed, history| {
        let alone = run(&history.epochs, 1);
        for workers in [2, 4] {
            assert_eq!(alone, run(&history.epochs, workers), "{workers} workers, seed {seed}");
        }
    });
}

#[test]
fn delivering_an_epoch_twice_changes_nothing() {
    for_each_history(|seed, history| {
        // Sums of usage are changes, which the store makes once; everything else is how it stands.
        let again = |facts: &Arc<Facts>| {
            let again = Facts {
                usage: Vec::new(),
                volumes: Default::default(),
                words: Vec::new(),
                ids: dataflows::facts::Ids::default(),
                ..Facts::clone(facts)
            };
            [facts.clone(), Arc::new(again)]
        };
        let doubled: Vec<_> = history.epochs.iter().flat_map(again).collect();
        let once = run(&history.epochs, 1);
        let twice = run(&doubled, 1);
        for (epoch, state) in once.iter().enumerate() {
            assert_eq!(state, &twice[2 * epoch + 1], "seed {seed}, epoch {epoch}");
            assert_eq!(state, &twice[2 * epoch], "seed {seed}, epoch {epoch}");
        }
    });
}

#[test]
fn two_epochs_in_flight_are_settled_one_after_the_other() {
    for_each_history(|seed, history| {
        let apart = run(&history.epochs, 1);
        for workers in [1, 2] {
            let overlapping = run_overlapping(&history.epochs, workers);
            assert_eq!(apart, overlapping, "seed {seed}, {workers} workers");
        }
    });
}

#[test]
fn keyed_agrees_with_a_plain_reduce_of_the_same_function() {
    for_each_history(|seed, history| {
        let by_reduce = harness::run_reduce(&history.epochs);
        let by_keyed = run(&history.epochs, 1);
        for (epoch, (keyed, reduce)) in by_keyed.iter().zip(&by_reduce).enumerate() {
            assert_eq!(&keyed.views, reduce, "seed {seed}, epoch {epoch}");
        }
    });
}
