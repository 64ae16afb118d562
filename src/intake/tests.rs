use std::sync::Arc;

use super::Intake;
use crate::engine::Engine;
use crate::programme::{self, Source};
use crate::store::Store;
use crate::store::memory::Memory;

#[test]
fn a_programme_published_without_its_names_is_published_again() {
    let text = "points.rule = [{ id = 'r', on = 'login', product = 'mail', points = 1 }]\nrank = [{ id = 'private', from = 0 }]\n";
    let mut store = Store::open(Arc::new(Memory::default()), [7; 32]).expect("the store opens");
    let sources = vec![("p.toml".to_owned(), text.to_owned())];
    store.publish(sources, std::iter::empty()).expect("it is published");
    let engine = Engine::start(1, |_| {}).expect("the workers start");
    let parse = |published: Option<&[crate::store::Source]>| {
        let files = published.expect("a programme was published").iter();
        let files = files.map(|(name, text)| Source { name: name.clone(), text: text.clone() }).collect();
        programme::parse(files).map_err(|_| anyhow::anyhow!("refused"))
    };
    let intake = Intake::begin(store, engine.hub(), parse, jiff::Timestamp::now).expect("the service starts");
    let names = intake.names();
    assert!(["private", "mail"].iter().all(|name| names.read().words.find(name).is_some()));
    assert_eq!(intake.hub().published().programme.ranks.len(), 1);
}
