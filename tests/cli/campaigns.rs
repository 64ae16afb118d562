//! The commands that show campaigns and set their states.

use crate::binary::{Told, cohortflow};
use crate::files::province;
use crate::service::{Home, Service};

fn ask(service: &Service, words: &[&str]) -> Told {
    cohortflow(words.iter().copied().chain(["--http", &format!("http://{}", service.address)]))
}

#[test]
fn campaigns_are_shown_and_set_with_who_did_it() {
    let home = Home::new();
    let files = province();
    files.iter().for_each(|(name, text)| home.land(name, text));
    let service = home.serve();
    service.settle(files.len());
    let told = ask(&service, &["campaigns"]).done();
    let line = told.stdout.lines().find(|line| line.starts_with("concert_crbt ")).expect("the campaign");
    assert!(line.contains(" draft ") && line.ends_with("next: draft, predicted, closed"), "{line}");
    assert_eq!(ask(&service, &["campaigns", "--json"]).done().json(), service.get("/v1/campaigns").good());

    let set = |words: &[&str]| ask(&service, &[&["campaign", "concert_crbt"], words].concat());
    let told = set(&["approved", "--by", "li"]).ended(1);
    assert_eq!(told.error(), "error: before it is approved it must be predicted\n");
    let predicted = ["predicted", "--by", "zhang", "--note", "七月", "--key", "k"];
    let told = set(&predicted).done();
    assert!(told.stdout.starts_with("concert_crbt is predicted, durable with epoch "), "{}", told.stdout);
    assert!(set(&predicted).done().stdout.ends_with(", as it was before\n"));
    let told = set(&["approved", "--by", "zhang"]).ended(1);
    assert!(
        told.error().starts_with("error: who wrote or predicted a campaign does not approve it"),
        "{}",
        told.stderr
    );
    assert_eq!(set(&["approved", "--by", "li", "--json"]).done().json()["state"], "approved");
    let told = set(&[]).done();
    assert!(told.stdout.starts_with("concert_crbt: approved, since 2009-06-30 23:59:59 by li\n"), "{}", told.stdout);
    for part in ["  next        dispatched, closed\n", "nothing predicted of", "  by zhang  测试\n", "by zhang  七月; "]
    {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    assert_eq!(set(&["--json"]).done().json(), service.get("/v1/campaigns/concert_crbt").good());

    let told = ask(&service, &["campaign", "concert_crtb"]).ended(1);
    assert_eq!(told.error(), "error: no such campaign; did you mean concert_crbt?\n");
    // Refused before anybody is asked.
    let told = set(&["runing", "--by", "li"]).ended(2);
    assert!(told.stderr.contains("'running'"), "{}", told.stderr);
    let told = set(&["closed"]).ended(2);
    assert!(told.stderr.contains("--by"), "{}", told.stderr);
    set(&["--by", "li"]).ended(2);
}
