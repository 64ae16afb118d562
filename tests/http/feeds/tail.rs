//! `cohortflow tail`.

use std::fs;
use std::process::Command;

use super::served;
use crate::files::{bills, province};
use crate::service::{Home, Service};

fn tail(home: &Home, service: &Service, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cohortflow"));
    command.args(["tail", "--http", &format!("http://{}", service.address)]).args(arguments).current_dir(home.path());
    let output = command.output().expect("it runs");
    let [told, shown] = [output.stderr, output.stdout].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (output.status.code(), shown, told)
}

#[test]
fn what_is_shown_is_gone_on_from() {
    let home = Home::new();
    let service = served(&home);
    let epoch = service.settle(province().len()).to_string();
    let (code, shown, told) = tail(&home, &service, &["tier_count", "--until-epoch", &epoch, "--resume", "token"]);
    assert_eq!((code, &*told), (Some(0), ""));
    assert!(!shown.is_empty() && shown.lines().all(|line| line.starts_with("+ ")), "{shown}");
    let kept = fs::read_to_string(home.path().join("token")).expect("a token");
    // Nothing is shown again.
    let arguments = ["tier_count", "--until-epoch", &epoch, "--resume", "token", "--json"];
    assert_eq!(tail(&home, &service, &arguments), (Some(0), format!("{{\"epoch\":{epoch}}}\n"), String::new()));
    assert_eq!(fs::read_to_string(home.path().join("token")).expect("a token"), kept);
    home.land("bill_2009-07.csv", bills("2009-07", 900));
    let epoch = service.settle(province().len() + 1).to_string();
    let arguments = ["customer_attribute", "--until-epoch", &epoch, "--where", "customer_id=c1", "--resume", "own"];
    let (code, shown, _) = tail(&home, &service, &arguments);
    assert_eq!(code, Some(0));
    assert!(shown.starts_with("+ c1,2009-07,") && shown.lines().count() == 1, "{shown}");
    home.land("bill_2009-07.v2.csv", bills("2009-07", 901));
    let epoch = service.settle(province().len() + 2).to_string();
    let arguments =
        ["customer_attribute", "--until-epoch", &epoch, "--where", "customer_id=c1", "--resume", "own", "--json"];
    let (_, shown, _) = tail(&home, &service, &arguments);
    let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with("{\"epoch\":")).collect();
    let [gone, come] = lines.as_slice() else { panic!("{shown}") };
    assert!(
        gone.starts_with("{\"sign\":-1,\"row\":{\"customer_id\":\"c1\",\"as_of\":\"2009-07\",")
            && gone.contains("\"900.50\"")
    );
    assert!(come.starts_with("{\"sign\":1,\"row\":{\"customer_id\":\"c1\",") && come.contains("\"901.50\""));
}

#[test]
fn what_is_refused_says_why() {
    let home = Home::new();
    let service = served(&home);
    let (code, shown, told) = tail(&home, &service, &["teir"]);
    assert_eq!((code, &*shown, &*told), (Some(1), "", "error: no such view; did you mean tier?\n"));
    fs::write(home.path().join("token"), "nonsense\n").expect("written");
    let (code, _, told) = tail(&home, &service, &["tier", "--resume", "token"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("was altered"), "{told}");
    // A token that cannot be kept is no service that has gone away.
    let (code, _, told) = tail(&home, &service, &["tier", "--resume", "nowhere/token"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("could not keep the token"), "{told}");
}
