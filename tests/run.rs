//! `cohortflow run` as its user sees it.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs over files, and gives the exit code and a directory with the views.
fn run(programme: &str, files: &[(&str, &str)]) -> (Option<i32>, tempfile::TempDir) {
    run_with(programme, files, &[])
}

fn run_with(programme: &str, files: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("in")).expect("created");
    fs::write(path("programme.toml"), programme).expect("written");
    files.iter().for_each(|(name, text)| fs::write(path("in").join(name), text).expect("written"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.arg("run").arg("--programme").arg(path("programme.toml"));
    command.arg("--input").arg(path("in")).arg("--output").arg(path("out"));
    let output = command.args(arguments).output().expect("it starts");
    (output.status.code(), directory)
}

fn view(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join("out").join(format!("{name}.csv"))).expect("the view is written")
}

#[test]
fn a_one_shot_run_goes_by_the_datas_clock_whatever_the_programme_says() {
    let programme = "settings = { clock = \"wall\" }\nsegment = [{ id = \"vip\", when = \"on_list.vip\" }]\n";
    let bill = ("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,1\n");
    let listing = ("listing_1.csv", "list_id,customer_id,until\nvip,c1,2009-08-01\n");
    let (code, directory) = run(programme, &[bill, listing]);
    assert_eq!(code, Some(0));
    assert_eq!(view(directory.path(), "segment_member"), "segment,customer_id\nvip,c1\n");
}

#[test]
fn a_rejected_file_fails_the_run_and_a_quarantined_row_does_not() {
    let programme = "settings = { max_bad_rows = 0.5 }\ntier = [{ id = \"all\" }]\n";
    let customers = ("customer_1.csv", "customer_id,city,gender\nc1,Dalian,f\nc2,Dalian,x\n");
    let (code, directory) = run(programme, &[customers]);
    assert_eq!(code, Some(0));
    assert_eq!(view(directory.path(), "tier_count"), "city,tier,customers\nDalian,all,1\n");

    let (code, directory) = run(programme, &[customers, ("bill_2009-07.csv", "customer_id,month\nc1,2009-07\n")]);
    assert_eq!(code, Some(1));
    assert_eq!(view(directory.path(), "tier_count"), "city,tier,customers\nDalian,all,1\n");
    assert_eq!(view(directory.path(), "segment_count"), "segment,city,customers\n");
}

#[test]
fn a_list_that_shrinks_is_held_until_it_is_confirmed() {
    let programme = "segment = [{ id = \"vip\", when = \"on_list.vip\" }]\n";
    let bill = ("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,1\nc2,2009-07,1\n");
    let long = ("listing_1.csv", "list_id,customer_id\nvip,c1\nvip,c2\n");
    let short = ("listing_1.v2.csv", "list_id,customer_id\nvip,c2\n");
    let members = |arguments: &[&str]| {
        let (code, directory) = run_with(programme, &[bill, long, short], arguments);
        assert_eq!(code, Some(0));
        (view(directory.path(), "segment_member"), view(directory.path(), "ingest_ledger"))
    };
    let (held, ledger) = members(&[]);
    assert_eq!(held, "segment,customer_id\nvip,c1\nvip,c2\n");
    assert!(ledger.contains(",held,"), "{ledger}");
    let (taken, ledger) = members(&["--confirm", "listing_1.v2.csv"]);
    assert_eq!(taken, "segment,customer_id\nvip,c2\n");
    assert!(!ledger.contains(",held,") && ledger.contains("listing,1,,2,accepted,"), "{ledger}");
}

#[test]
fn consents_that_shrink_are_held_until_they_are_confirmed() {
    let programme = "segment = [{ id = \"asked\", when = \"consent.marketing\" }]\n";
    let bill = ("bill_2009-07.csv", "customer_id,month,total_fee\nc1,2009-07,1\nc2,2009-07,1\n");
    let header = "customer_id,purpose,channel_id,at,given\n";
    let long = format!("{header}c1,marketing,sms,2009-07-01,true\nc2,marketing,sms,2009-07-01,true\n");
    let short = format!("{header}c2,marketing,sms,2009-07-01,true\n");
    let files = [bill, ("consent_1.csv", &*long), ("consent_1.v2.csv", &*short)];
    let members = |arguments: &[&str]| {
        let (code, directory) = run_with(programme, &files, arguments);
        assert_eq!(code, Some(0));
        view(directory.path(), "segment_member")
    };
    assert_eq!(members(&[]), "segment,customer_id\nasked,c1\nasked,c2\n");
    assert_eq!(members(&["--confirm", "consent_1.v2.csv"]), "segment,customer_id\nasked,c2\n");
}
