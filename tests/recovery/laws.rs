//! Laws of the inputs, over random histories.
//!
//! Left out, since the contract makes them depend on what came before: the same version with other
//! content (the first one stands) and lists or consents that shrink (held for a person).

use std::collections::BTreeMap;

use cohortflow::store::memory::{Loss, Memory};
use fastrand::Rng;

use crate::model::{self, File, history, is_held};
use crate::setting;
use crate::state::{self, State};
use crate::subject::{Done, Step, Subject};

fn for_each_history(law: impl Fn(&mut Rng, Vec<File>)) {
    for seed in 0..setting("HISTORIES", 200) {
        let mut rng = Rng::with_seed(seed);
        let mut files = history(&mut rng);
        rng.shuffle(&mut files);
        println!("seed {seed}");
        law(&mut rng, files);
    }
}

fn open(memory: &Memory) -> Subject {
    Subject::open(memory).expect("it opens")
}

fn taken(files: &[File]) -> Subject {
    let mut subject = open(&Memory::default());
    for file in files {
        subject.step(&file.step()).expect("nothing fails");
    }
    subject
}

fn told(subject: &Subject) -> Vec<String> {
    let dictionary = subject.store.dictionary();
    let names = dictionary.read();
    state::standing(subject, &names)
}

/// The greatest version of each partition.
fn latest(files: &[File]) -> Vec<File> {
    let mut latest: BTreeMap<_, &File> = BTreeMap::new();
    for file in files {
        let held = latest.entry(file.partition()).or_insert(file);
        *held = if file.version > held.version { file } else { held };
    }
    latest.into_values().cloned().collect()
}

#[test]
fn what_stands_agrees_with_a_model_that_sorts_after_every_file() {
    for_each_history(|_, files| {
        let mut subject = open(&Memory::default());
        for (number, file) in files.iter().enumerate() {
            subject.step(&file.step()).expect("nothing fails");
            assert_eq!(told(&subject), model::standing(&files[..=number]), "after {file:?}");
        }
    });
}

#[test]
fn the_order_of_arrival_changes_neither_state_nor_ledger() {
    for_each_history(|rng, mut files| {
        let one = State::of(&taken(&files));
        rng.shuffle(&mut files);
        assert_eq!(one.difference(&State::of(&taken(&files))), None);
    });
}

#[test]
fn delivering_again_changes_nothing() {
    for_each_history(|rng, mut files| {
        let mut subject = taken(&files);
        let before = State::of(&subject);
        rng.shuffle(&mut files);
        for file in &files {
            assert_eq!(subject.step(&file.step()).expect("nothing fails"), Done::Nothing, "{file:?}");
        }
        for file in latest(&files) {
            assert_eq!(subject.step(&file.packed()).expect("nothing fails"), Done::Nothing, "{file:?}");
        }
        assert_eq!(before.difference(&State::of(&subject)), None);
    });
}

#[test]
fn a_correction_leaves_what_it_alone_would_have_left() {
    for_each_history(|_, files| {
        let (all, alone) = (State::of(&taken(&files)), State::of(&taken(&latest(&files))));
        let alone = State { ledger: all.ledger.clone(), ..alone };
        assert_eq!(all.difference(&alone), None);
    });
}

#[test]
fn emptying_every_partition_leaves_what_waits_for_a_person() {
    for_each_history(|rng, files| {
        let mut subject = taken(&files);
        let mut emptied: Vec<File> = latest(&files).iter().map(File::emptied).collect();
        rng.shuffle(&mut emptied);
        for file in &emptied {
            let done = subject.step(&file.step()).expect("nothing fails");
            // An empty one waits for a person.
            assert_eq!(done == Done::Changed, !is_held(file.feed), "{file:?}");
        }
        let held = latest(&files).into_iter().filter(|file| is_held(file.feed));
        assert_eq!(told(&subject), model::standing(&held.collect::<Vec<_>>()));
    });
}

#[test]
fn restarting_and_compacting_at_any_time_changes_nothing() {
    for_each_history(|rng, files| {
        let expected = State::of(&taken(&files));
        let mut memory = Memory::default();
        let mut subject = open(&memory);
        for file in &files {
            subject.step(&file.step()).expect("nothing fails");
            if rng.u8(0..4) == 0 {
                subject.step(&Step::Compact).expect("nothing fails");
            }
            if rng.u8(0..4) == 0 {
                memory = memory.crash(if rng.bool() { Loss::All } else { Loss::Nothing });
                subject = open(&memory);
            }
        }
        assert_eq!(expected.difference(&State::of(&subject)), None);
        let reopened = open(&memory.crash(Loss::Nothing));
        assert_eq!(expected.difference(&State::of(&reopened)), None);
    });
}
