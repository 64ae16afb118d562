//! Every call to the disk fails, or is the last one.

use cohortflow::store::memory::{Fault, Loss, Memory};
use cohortflow::store::{LogError, StoreError};

use crate::setting;
use crate::state::State;
use crate::subject::{Done, Step, Subject, workload};

/// The uninterrupted run.
struct Reference {
    steps: Vec<Step>,
    /// What stands before each step, and at the end.
    states: Vec<State>,
    /// Calls to the disk that it takes.
    calls: u64,
}

impl Reference {
    fn run() -> Reference {
        let (steps, memory) = (workload(), Memory::default());
        let mut subject = Subject::open(&memory).expect("a fresh store opens");
        let mut states = vec![State::of(&subject)];
        for step in &steps {
            subject.step(step).expect("nothing fails");
            states.push(State::of(&subject));
        }
        let counted = Memory::default();
        let mut subject = Subject::open(&counted).expect("a fresh store opens");
        for step in &steps {
            subject.step(step).expect("nothing fails");
        }
        Reference { steps, states, calls: counted.calls() }
    }

    /// Runs until something fails. Gives the steps that were acknowledged.
    fn run_until_failure(&self, memory: &Memory) -> usize {
        let Ok(mut subject) = Subject::open(memory) else { return 0 };
        self.steps.iter().take_while(|step| subject.step(step).is_ok()).count()
    }

    /// What is there after a restart: what was acknowledged, the step under way whole or not at all.
    /// Then everything is delivered again, and must end as if nothing had happened.
    fn check_restart(&self, memory: &Memory, acknowledged: usize, why: &str) {
        let mut subject = Subject::open(memory).unwrap_or_else(|error| panic!("{why}: {error}"));
        let (state, before) = (State::of(&subject), &self.states[acknowledged]);
        if let Some(difference) = state.difference(before) {
            let after = self.states.get(acknowledged + 1);
            assert!(after == Some(&state), "{why}: after {acknowledged} steps: {difference}");
        }
        is_durable(memory, &state, why);
        let mut has_changed = false;
        for (number, step) in self.steps.iter().enumerate() {
            let done = subject.step(step).unwrap_or_else(|error| panic!("{why}: step {number}: {error}"));
            let is_file = matches!(step, Step::File(..) | Step::Batch(..));
            assert!(
                number >= acknowledged || !is_file || done == Done::Nothing,
                "{why}: step {number} again: {done:?}"
            );
            if done == Done::Changed && !std::mem::replace(&mut has_changed, true) {
                is_durable(memory, &State::of(&subject), why);
            }
        }
        self.check_end(&State::of(&subject), why);
        is_durable(memory, &State::of(&subject), why);
    }

    fn check_end(&self, state: &State, why: &str) {
        let difference = self.states.last().expect("an end").difference(state);
        assert_eq!(difference, None, "{why}: at the end");
    }
}

/// What a process tells outlives its machine.
fn is_durable(memory: &Memory, told: &State, why: &str) {
    let after = Subject::open(&memory.crash(Loss::All)).unwrap_or_else(|error| panic!("{why}: then {error}"));
    assert_eq!(told.difference(&State::of(&after)), None, "{why}: what was told is durable");
}

/// Whether time is no object.
fn is_thorough() -> bool {
    setting("SEEDS", 3) > 3
}

fn losses() -> Vec<Loss> {
    let mut losses = vec![Loss::All, Loss::Torn, Loss::Nothing];
    losses.extend((0..setting("SEEDS", 3)).map(Loss::Some));
    losses
}

fn crash_at_every_call(loss: impl Fn(u64) -> Vec<Loss>) {
    let reference = Reference::run();
    for call in 0..reference.calls {
        let memory = Memory::default();
        memory.fail_at(call, Fault::Crash);
        let acknowledged = reference.run_until_failure(&memory);
        for loss in loss(call) {
            reference.check_restart(&memory.crash(loss), acknowledged, &format!("call {call}, {loss:?}"));
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    crash_at_every_call(|_| vec![Loss::Nothing]);
}

#[test]
fn a_power_cut_that_loses_every_unsynced_write_loses_nothing_acknowledged() {
    crash_at_every_call(|_| vec![Loss::All]);
}

#[test]
fn a_power_cut_that_tears_the_last_write_loses_nothing_acknowledged() {
    crash_at_every_call(|_| vec![Loss::Torn]);
}

#[test]
fn a_power_cut_that_loses_some_unsynced_writes_loses_nothing_acknowledged() {
    let seeds = setting("SEEDS", 3);
    crash_at_every_call(|call| (0..seeds).map(|seed| Loss::Some(call * 1_000 + seed)).collect());
}

/// Not a crash but the strictest look at it: the power is cut after each acknowledgement.
#[test]
fn what_is_acknowledged_is_durable_at_that_moment() {
    let reference = Reference::run();
    let memory = Memory::default();
    let mut subject = Subject::open(&memory).expect("a fresh store opens");
    for (number, step) in reference.steps.iter().enumerate() {
        subject.step(step).expect("nothing fails");
        let after = Subject::open(&memory.crash(Loss::All)).expect("it opens");
        assert_eq!(State::of(&after).difference(&reference.states[number + 1]), None, "after step {number}");
        assert_eq!(after.store.epoch(), subject.store.epoch(), "after step {number}");
    }
}

/// After a failed write or sync nothing is written any more; after a failed read all goes on, or
/// nothing does.
#[test]
fn an_error_of_the_disk_stops_the_store_or_changes_nothing() {
    let reference = Reference::run();
    for call in 0..reference.calls {
        let memory = Memory::default();
        memory.fail_at(call, Fault::Error);
        let mut acknowledged = 0;
        if let Ok(mut subject) = Subject::open(&memory) {
            let why = format!("call {call}, {:?}", memory.failed());
            let mut steps = reference.steps.iter();
            let failed = steps.by_ref().find_map(|step| {
                let error = subject.step(step).err();
                acknowledged += usize::from(error.is_none());
                error
            });
            if let Some(error) = failed {
                acknowledged = go_on(&reference, &mut subject, acknowledged, &memory, &error, &why);
            } else {
                reference.check_end(&State::of(&subject), &why);
            }
        }
        // The kill always: what a failed sync left in the cache is read back then, and must be kept.
        let every = losses();
        let one = vec![Loss::Nothing, every[call as usize % every.len()]];
        for loss in if is_thorough() { every } else { one } {
            reference.check_restart(&memory.crash(loss), acknowledged, &format!("error {call}, {loss:?}"));
        }
    }
}

/// Goes on after an error as a caller does that has not understood it. Gives the steps that were
/// acknowledged by then.
fn go_on(
    reference: &Reference,
    subject: &mut Subject,
    from: usize,
    memory: &Memory,
    error: &StoreError,
    why: &str,
) -> usize {
    let of_a_write = matches!(error, StoreError::Log(LogError::Sync(_) | LogError::Io { doing: "write", .. }));
    let writes = memory.writes();
    let results: Vec<_> = reference.steps[from..].iter().map(|step| subject.step(step)).collect();
    if results.iter().all(Result::is_ok) {
        assert!(!of_a_write, "{why}: went on after {error}");
        reference.check_end(&State::of(subject), why);
        reference.steps.len()
    } else {
        let stopped = |error: &StoreError| matches!(error, StoreError::Log(LogError::Stopped));
        assert!(results.iter().flat_map(|result| result.as_ref().err()).all(stopped), "{why}: {results:?}");
        assert_eq!(memory.writes(), writes, "{why}: wrote after {error}");
        from
    }
}

/// The machine goes down again at every call of the recovery.
#[test]
fn a_crash_during_recovery_loses_nothing_acknowledged() {
    let reference = Reference::run();
    let losses = losses();
    let stride = if is_thorough() { 1 } else { 9 };
    for call in 0..reference.calls {
        let memory = Memory::default();
        memory.fail_at(call, Fault::Crash);
        let acknowledged = reference.run_until_failure(&memory);
        let first = losses[call as usize % losses.len()];
        let crashed = memory.crash(first);
        let counted = crashed.crash(Loss::Nothing);
        Subject::open(&counted).unwrap_or_else(|error| panic!("call {call}, {first:?}: {error}"));
        for second in (call % stride..counted.calls()).step_by(stride as usize) {
            let again = crashed.crash(Loss::Nothing);
            again.fail_at(second, Fault::Crash);
            assert!(Subject::open(&again).is_err() || second + 1 == counted.calls());
            let loss = losses[(call + second) as usize % losses.len()];
            let why = format!("call {call}, {first:?}, then call {second}, {loss:?}");
            let subject = Subject::open(&again.crash(loss)).unwrap_or_else(|error| panic!("{why}: {error}"));
            let state = State::of(&subject);
            let expected = [Some(&reference.states[acknowledged]), reference.states.get(acknowledged + 1)];
            assert!(expected.contains(&Some(&state)), "{why}: {:?}", state.difference(&reference.states[acknowledged]));
        }
    }
}
