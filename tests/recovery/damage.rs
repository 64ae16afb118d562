//! Files changed, cut, swapped: refused with a message that says where, or without effect.

use cohortflow::store::memory::{Loss, Memory};
use cohortflow::store::{LogError, StoreError};

use crate::setting;
use crate::state::State;
use crate::subject::{Subject, workload};

/// A store that has been through everything.
struct Finished {
    memory: Memory,
    state: State,
    /// The log as it was after each step.
    logs: Vec<Vec<u8>>,
}

impl Finished {
    fn store() -> Finished {
        let memory = Memory::default();
        let mut subject = Subject::open(&memory).expect("a fresh store opens");
        let mut logs = vec![memory.bytes("log").expect("a log")];
        for step in workload() {
            subject.step(&step).expect("nothing fails");
            logs.push(memory.bytes("log").expect("a log"));
        }
        let durable = Memory::default();
        ["log", "acked"].into_iter().for_each(|file| durable.put(file, memory.bytes(file).expect("a file")));
        Finished { state: State::of(&subject), memory: durable, logs }
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        self.memory.bytes(file).expect("a file")
    }

    /// Opens the store with another file in the place of one. Says whether it was refused.
    fn is_refused(&self, file: &str, bytes: Vec<u8>, what: &str) -> bool {
        let memory = self.memory.crash(Loss::Nothing);
        memory.put(file, bytes.clone());
        match Subject::open(&memory) {
            Ok(subject) => {
                assert_eq!(self.state.difference(&State::of(&subject)), None, "{what}");
                false
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("byte ") || text.contains("format "), "{what}: {text}");
                assert!(text.contains("\nhint: "), "{what}: {text}");
                assert!(memory.bytes(file) == Some(bytes), "{what}: it was changed");
                true
            }
        }
    }
}

#[test]
fn a_changed_byte_is_refused_or_has_no_effect() {
    let finished = Finished::store();
    let mut rng = fastrand::Rng::with_seed(1);
    for file in ["log", "acked"] {
        let bytes = finished.bytes(file);
        for at in 0..bytes.len() {
            let bits = if setting("ALL_BITS", 0) == 1 { (0..8).collect() } else { vec![rng.u8(0..8)] };
            for bit in bits {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(finished.is_refused(file, changed, &format!("{file}, byte {at}, bit {bit}")), "{file} {at}");
            }
        }
    }
}

#[test]
fn a_file_cut_short_is_refused_or_has_no_effect() {
    let finished = Finished::store();
    for file in ["log", "acked"] {
        let bytes = finished.bytes(file);
        for len in 0..bytes.len() {
            let refused = finished.is_refused(file, bytes[..len].to_vec(), &format!("{file} cut to {len}"));
            assert!(refused || (file == "acked" && len == 0), "{file} cut to {len}");
        }
    }
}

#[test]
fn a_zeroed_sector_is_refused_or_has_no_effect() {
    let finished = Finished::store();
    for file in ["log", "acked"] {
        let bytes = finished.bytes(file);
        for at in (0..bytes.len()).step_by(512) {
            let mut changed = bytes.clone();
            changed[at..(at + 512).min(bytes.len())].fill(0);
            finished.is_refused(file, changed, &format!("{file}, sector at {at}"));
        }
    }
}

#[test]
fn bytes_behind_the_end_are_cut_off() {
    let finished = Finished::store();
    for behind in [vec![0; 700], b"CFrm".to_vec(), vec![0xff; 40], (0..=255).collect()] {
        let mut bytes = finished.bytes("log");
        bytes.extend(behind);
        assert!(!finished.is_refused("log", bytes, "bytes behind the end"));
    }
}

#[test]
fn an_old_copy_of_the_log_is_refused() {
    let finished = Finished::store();
    let now = finished.bytes("log");
    for (step, log) in finished.logs.iter().enumerate().filter(|(_, log)| **log != now) {
        assert!(finished.is_refused("log", log.clone(), &format!("the log after step {step}")), "step {step}");
    }
}

#[test]
fn a_log_that_is_gone_is_not_begun_anew() {
    use cohortflow::store::vfs::Vfs;
    let finished = Finished::store();
    let memory = finished.memory.crash(Loss::Nothing);
    memory.remove("log").expect("it is there");
    let error = Subject::open(&memory).err().expect("refused").to_string();
    assert!(error.contains("the file `log` is missing"), "{error}");
    assert_eq!(memory.bytes("log"), None);
}

/// Without the mark, as after a power cut: only the last frame can be taken for a torn one.
#[test]
fn damage_before_the_last_record_is_no_torn_tail() {
    let finished = Finished::store();
    let bytes = finished.bytes("log");
    let last = finished.logs.iter().rev().find(|log| log.len() < bytes.len()).expect("a shorter log").len();
    for at in 24..bytes.len() {
        let memory = finished.memory.crash(Loss::Nothing);
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        memory.put("acked", Vec::new());
        memory.put("log", changed);
        match Subject::open(&memory) {
            Ok(_) => assert!(at >= last, "byte {at} of {last}"),
            Err(StoreError::Log(LogError::Corrupt { .. })) => assert!(at < last, "byte {at} of {last}"),
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
}

#[test]
fn a_store_of_another_format_is_refused() {
    let finished = Finished::store();
    let mut bytes = finished.bytes("log");
    bytes[8..12].copy_from_slice(&9u32.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
    assert!(finished.is_refused("log", bytes.clone(), "format 9"));
    let memory = finished.memory.crash(Loss::Nothing);
    memory.put("log", bytes);
    let error = Subject::open(&memory).err().expect("refused").to_string();
    assert!(error.contains("the log has format 9, this build reads 1"), "{error}");
}

#[test]
fn a_store_of_an_earlier_format_is_gone_on_with_as_this_one() {
    let finished = Finished::store();
    let now: [u8; 4] = finished.bytes("log")[8..12].try_into().expect("four bytes");
    for format in 1..u32::from_le_bytes(now) {
        let mut bytes = finished.bytes("log");
        bytes[8..12].copy_from_slice(&format.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..20]);
        bytes[20..24].copy_from_slice(&crc.to_le_bytes());
        let memory = finished.memory.crash(Loss::Nothing);
        memory.put("log", bytes);
        let subject = Subject::open(&memory).expect("it is read");
        assert_eq!(finished.state.difference(&State::of(&subject)), None, "format {format}");
        // A build that knows less never reads what is appended from here on.
        assert_eq!(memory.bytes("log").expect("a log")[8..12], now);
    }
}
