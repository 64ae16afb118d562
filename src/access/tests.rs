use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::*;
use crate::query::sight::{Menu, Place};
use crate::query::{VIEWS, view};
use crate::store::memory::Memory;
use crate::store::vfs::Vfs;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const KEY: [u8; 32] = [9; 32];

fn memory() -> Arc<dyn Vfs> {
    Arc::new(Memory::default())
}

fn opened(vfs: &Arc<dyn Vfs>) -> Accounts {
    Accounts::open(vfs.clone(), &KEY).expect("opened")
}

fn of(role: Role) -> Change {
    Change { role: Some(role), password: Some("correct horse".to_owned()), ..Change::default() }
}

/// With an administrator and somebody of a city.
fn some() -> (Arc<dyn Vfs>, Accounts) {
    let vfs = memory();
    let accounts = opened(&vfs);
    accounts.add("root", of(Role::Administrator), None, 1).expect("made");
    let places = Some(vec![Place { city: "Haicheng".to_owned(), district: None }]);
    accounts.add("ann", Change { places, ..of(Role::CityOperator) }, Some("root"), 2).expect("made");
    (vfs, accounts)
}

#[test]
fn the_first_account_ends_that_everybody_may_everything() {
    let accounts = opened(&memory());
    let keeper = accounts.keeper().expect("nobody has an account");
    assert!(Right::ALL.into_iter().all(|right| keeper.may(right)));
    assert!(VIEWS.iter().all(|view| keeper.sight.is_whole(view)));
    assert!(matches!(accounts.add("ann", of(Role::Planner), None, 1), Err(AccountsError::First)));
    accounts.add("root", of(Role::Administrator), None, 1).expect("made");
    assert!(accounts.keeper().is_none());
    assert!(!accounts.is_current(&keeper));
    assert!(matches!(accounts.remove("root"), Err(AccountsError::Last)));
    let demoted = Change { role: Some(Role::Planner), ..Change::default() };
    assert!(matches!(accounts.change("root", demoted, 2), Err(AccountsError::Last)));
}

#[test]
fn accounts_tokens_and_passwords_are_there_after_a_restart_and_sessions_are_not() {
    let (vfs, accounts) = some();
    let (token, kept) = accounts.add_token("ann", Some(100), 3).expect("made");
    let (session, _) = accounts.login("ann", "correct horse", HERE, 10).expect("right");
    assert_eq!(accounts.asks(&session, 11).expect("logged in").name(), Some("ann"));
    drop(accounts);
    let accounts = opened(&vfs);
    assert!(accounts.asks(&session, 11).is_none());
    assert_eq!(accounts.asks(&token, 99).expect("a token").name(), Some("ann"));
    assert!(accounts.asks(&token, 100).is_none(), "it expires");
    assert!(accounts.login("ann", "correct horse", HERE, 12).is_ok());
    accounts.remove_token("ann", &kept.id).expect("taken back");
    assert!(accounts.asks(&token, 50).is_none());
    let file = vfs.open("accounts.json").expect("opened");
    let mut bytes = vec![0; file.size().expect("size") as usize];
    file.read_at(0, &mut bytes).expect("read");
    let text = String::from_utf8(bytes).expect("text");
    assert!(!text.contains(&token) && !text.contains("correct horse"));
}

#[test]
fn a_session_ends_with_time_another_password_or_its_account() {
    let (_, accounts) = some();
    let login = |now| accounts.login("ann", "correct horse", HERE, now).expect("right").0;
    let idle = login(0);
    assert!(accounts.asks(&idle, 1799).is_some());
    assert!(accounts.asks(&idle, 1799 + 1800).is_none());
    let long = login(0);
    let mut asked = (0..SESSION_SECONDS).step_by(1000).map(|now| accounts.asks(&long, now).is_some());
    assert!(asked.all(|is_good| is_good));
    assert!(accounts.asks(&long, SESSION_SECONDS).is_none());
    let out = login(0);
    accounts.logout(&out);
    assert!(accounts.asks(&out, 1).is_none());
    let before = login(0);
    let password = Change { password: Some("another horse".to_owned()), ..Change::default() };
    accounts.change("ann", password, 1).expect("changed");
    assert!(accounts.asks(&before, 2).is_none());
    assert!(accounts.login("ann", "correct horse", HERE, 3).is_err());
    let (now, viewer) = accounts.login("ann", "another horse", HERE, 4).expect("right");
    accounts.remove("ann").expect("removed");
    assert!(accounts.asks(&now, 5).is_none() && !accounts.is_current(&viewer));
}

#[test]
fn what_an_account_loses_is_lost_at_the_next_question() {
    let (_, accounts) = some();
    let (session, before) = accounts.login("ann", "correct horse", HERE, 0).expect("right");
    assert!(accounts.is_current(&before) && before.may(Right::Sql));
    let changes = accounts.changes();
    let less = Change { role: Some(Role::HallAdministrator), ..Change::default() };
    accounts.change("ann", less, 1).expect("changed");
    assert!(changes.has_changed().expect("told") && !accounts.is_current(&before));
    let now = accounts.asks(&session, 2).expect("logged in");
    assert!(!now.may(Right::Sql) && !now.sees_province());
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_alike_and_slow_down() {
    let (_, accounts) = some();
    let wrong = |name: &str, now| accounts.login(name, "wrong horse", HERE, now).expect_err("wrong").to_string();
    assert_eq!(wrong("ann", 0), wrong("nobody", 0));
    for _ in 0..4 {
        wrong("ann", 0);
    }
    assert!(matches!(accounts.login("ann", "correct horse", HERE, 0), Err(LoginError::Wait(_))));
    assert!(accounts.login("ann", "correct horse", HERE, 1000).is_ok());
}

#[test]
fn accounts_that_say_nothing_sensible_are_refused() {
    let (_, accounts) = some();
    let add = |name: &str, change| accounts.add(name, change, None, 3).map_err(|error| error.to_string());
    for name in ["", "Ann", "1a", "a b", "-a", "a\u{301}", &"a".repeat(64)] {
        assert!(add(name, of(Role::Planner)).is_err(), "{name:?}");
    }
    assert!(add("ann", of(Role::Planner)).is_err(), "there is one");
    assert!(add("bob", Change { role: None, ..of(Role::Planner) }).is_err());
    assert!(add("bob", of(Role::CityOperator)).is_err(), "without places");
    let places = Some(vec![Place { city: "Haicheng".to_owned(), district: None }]);
    assert!(add("bob", Change { places, ..of(Role::Auditor) }).is_err(), "sees nobody");
    assert!(add("bob", Change { menus: Some(vec![Menu::Feeds]), ..of(Role::Planner) }).is_err());
    assert!(add("bob", of(Role::Channel)).is_err());
    assert!(add("bob", Change { channel: Some("sms".to_owned()), ..of(Role::Planner) }).is_err());
    for password in ["short", "bobbobbobb", &"x".repeat(300)] {
        let refused = add("bobbobbobb", Change { password: Some(password.to_owned()), ..of(Role::Planner) });
        assert!(refused.is_err(), "{password}");
    }
    add("bob", Change { menus: Some(vec![Menu::Ranks]), ..of(Role::Planner) }).expect("made");
    let bob = accounts.viewer("bob").expect("there");
    let shown = |name: &str| bob.sight.unseen(view(name).expect("a view")).is_none();
    assert!(shown("points_balance") && !shown("tier"));
}

#[test]
fn a_damaged_file_lets_nobody_in() {
    let (vfs, accounts) = some();
    drop(accounts);
    let file = vfs.open("accounts.json").expect("opened");
    file.truncate(file.size().expect("size") - 5).expect("cut");
    assert!(matches!(Accounts::open(vfs, &KEY), Err(AccountsError::Damaged(_))));
}

#[test]
fn rows_about_persons_are_counted_by_the_day() {
    let (_, accounts) = some();
    let few = Change { rows_a_day: Some(10), ..Change::default() };
    accounts.change("ann", few, 3).expect("changed");
    let ann = accounts.viewer("ann").expect("there");
    assert!(accounts.spend(&ann, 6, 0) && accounts.spend(&ann, 4, 0));
    assert!(!accounts.spend(&ann, 1, 0));
    assert!(accounts.spend(&ann, 10, 24 * 3600));
    let root = accounts.viewer("root").expect("there");
    assert!(!accounts.spend(&root, 1, 0), "who sees nobody takes none");
}
