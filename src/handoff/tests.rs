use std::fs;

use super::message::COLUMNS;
use super::*;

#[test]
fn a_file_that_cannot_be_written_anew_stays_hidden_and_is_tried_again() {
    let home = tempfile::tempdir().expect("a directory");
    let handoffs = Handoffs::open(&home.path().join("outbox"), &home.path().join("handed"), "s").expect("opened");
    let directory = home.path().join("outbox/channels/sms");
    fs::create_dir(&directory).expect("made");
    let row = |id: &str| format!("{id},spring,1,c1,,sms,1,text,Reply Y,2009-07-01 12:00:00\n");
    let shown = directory.join("2009-07-01_00000001.csv");
    fs::write(&shown, format!("{}\n{}{}", COLUMNS.join(","), row("a"), row("b"))).expect("written");
    // What stands where the rest of the file would be written.
    let obstacle = directory.join(".2009-07-01_00000001.csv.prepared");
    fs::create_dir(&obstacle).expect("made");
    let batch = Batch { day: "2009-07-01".to_owned(), number: "00000001".to_owned() };
    let withdraw = || handoffs.outbox.lock().withdraw(&batch, "sms", &["a".into()].into());
    assert!(withdraw().is_err());
    assert!(!shown.exists() && handoffs.outbox.lock().is_away(&batch, "sms"));
    // For want of room it is no failure: nobody sees it.
    let full = io::Error::from(io::ErrorKind::StorageFull);
    assert_eq!(handoffs.unless_full(Err(full), &batch, "sms").expect("it goes on"), None);
    assert!(handoffs.trouble().concat().contains("1 files of the outbox"), "{:?}", handoffs.trouble());
    let other = io::Error::from(io::ErrorKind::PermissionDenied);
    assert!(handoffs.unless_full(Err(other), &batch, "sms").is_err());
    fs::remove_dir(&obstacle).expect("removed");
    assert_eq!(handoffs.unless_full(withdraw(), &batch, "sms").expect("it is written"), Some(true));
    assert_eq!(fs::read_to_string(&shown).expect("shown again"), format!("{}\n{}", COLUMNS.join(","), row("b")));
    assert_eq!(handoffs.trouble(), Vec::<String>::new());
}
