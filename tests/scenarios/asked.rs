//! What customers say, and whoever provisions: replies, answers to offers, answers to requests.

use std::collections::BTreeMap;

use cohortflow::intake::Intake;
use cohortflow::intake::edits::Edited;
use cohortflow::orders::{Accepted, Answer, Answered, Given, OfferAnswer, Replied, Reply, Taken, Told};
use dataflows::records::RequestState;

use crate::script::{Outcome, Row, cells};

/// Something said: the word of its line, the cells, and those with names.
pub struct Asked {
    word: String,
    said: Row,
    named: BTreeMap<String, String>,
    body: String,
    pub expected: Outcome,
}

/// The cells that a line of each word has.
const WORDS: [(&str, usize); 3] = [("reply", 2), ("offer", 3), ("answer", 2)];

impl Asked {
    /// Reads a line; none where its word is another.
    pub fn parse(word: &str, rest: &str) -> Option<Result<Asked, String>> {
        let (_, count) = WORDS.into_iter().find(|(known, _)| *known == word)?;
        let (named, said): (Row, Row) = cells(rest).into_iter().partition(|cell| cell.contains('='));
        if said.len() != count {
            return Some(Err(format!("expected {count} cells without a name")));
        }
        let named: BTreeMap<String, String> = named
            .iter()
            .filter_map(|cell| cell.split_once('='))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let body = format!("{said:?} {:?}", named.iter().filter(|(name, _)| *name != "key").collect::<Vec<_>>());
        Some(Ok(Asked { word: word.to_owned(), said, named, body, expected: Outcome::default() }))
    }

    fn named(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// Says it, and tells what became of it.
    pub fn of(&self, intake: &Intake) -> String {
        let key = self.named("key");
        let [campaign, channel] = ["campaign", "channel"].map(|name| self.named(name));
        let (by, body) = ("gateway", self.body.as_bytes());
        match self.word.as_str() {
            "reply" => {
                let (customer, text, contact) = (&self.said[0], &self.said[1], self.named("contact"));
                let reply = Reply { customer, text, campaign, contact, channel, by, key, body };
                replied(intake.reply(&reply).expect("nothing fails"))
            }
            "offer" => {
                let answer = <Accepted as clap::ValueEnum>::from_str(&self.said[2], false).expect("an answer");
                let (customer, product) = (&self.said[0], &self.said[1]);
                let offer = OfferAnswer { customer, product, campaign, channel, answer, by, key, body };
                taken(intake.answer_offer(&offer).expect("nothing fails"))
            }
            _ => {
                let state = if self.said[1] == "opened" { RequestState::Opened } else { RequestState::Failed };
                let [code, text] = ["code", "text"].map(|name| self.named(name).map(str::to_owned));
                let given = Given { request_id: self.said[0].clone(), state, code, text };
                answered(intake.answer(&[given], key, body).expect("nothing fails"))
            }
        }
    }
}

fn told(told: &Told) -> String {
    let code = told.code.as_deref().unwrap_or_default();
    match (&told.entered, told.state) {
        (None, state) => format!("repeated: {}", state.name()),
        (Some(_), RequestState::Failed) => format!("failed: {code}: {}", told.reply.text),
        (Some(_), _) => "accepted".to_owned(),
    }
}

fn replied(replied: Replied) -> String {
    match replied {
        Replied::Ordered(request) => told(&request),
        Replied::Declined(Some(_)) => "declined".to_owned(),
        Replied::Declined(None) => "repeated: declined".to_owned(),
        Replied::OptedOut(Edited::Done { .. }) => "opted out".to_owned(),
        Replied::OptedOut(other) => format!("not opted out: {other:?}"),
        Replied::Prompt(words) => format!("asked again: {}", words.text),
        Replied::KeyReused => "key reused".to_owned(),
        Replied::UnknownCustomer => "unknown customer".to_owned(),
        Replied::UnknownContact => "unknown contact".to_owned(),
        Replied::NothingOffered => "nothing offered".to_owned(),
        Replied::Bad(why) => format!("refused: {why}"),
        Replied::Failed => "a worker failed".to_owned(),
    }
}

fn taken(taken: Taken) -> String {
    match taken {
        Taken::Ordered(request) => told(&request),
        Taken::Noted(Some(_)) => "noted".to_owned(),
        Taken::Noted(None) => "repeated: noted".to_owned(),
        Taken::KeyReused => "key reused".to_owned(),
        Taken::UnknownCustomer => "unknown customer".to_owned(),
        Taken::UnknownProduct => "unknown product".to_owned(),
        Taken::UnknownCampaign => "unknown campaign".to_owned(),
        Taken::Bad(why) => format!("refused: {why}"),
        Taken::Failed => "a worker failed".to_owned(),
    }
}

fn answered(answer: Answer) -> String {
    match answer {
        Answer::Taken(answered, _) => match answered[..] {
            [Answered::Done] => "accepted".to_owned(),
            [Answered::Repeated] => "repeated".to_owned(),
            [Answered::Differs(state)] => format!("differs: it is {}", state.name()),
            _ => "unknown request".to_owned(),
        },
        Answer::KeyReused => "key reused".to_owned(),
        Answer::Bad(why) => format!("refused: {why}"),
        Answer::Failed => "a worker failed".to_owned(),
    }
}
