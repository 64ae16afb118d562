//! Every campaign with how far it has come: those of the programme, and those that only changes name.

use std::collections::BTreeMap;

use dataflows::records::{Arm, CampaignStateRow, State};
use dataflows::targets::Campaign;
use dataflows::types::Word;
use dataflows::views;

use super::course::Course;
use super::refused::Refused;
use super::states::{self, Change, Progress, follow};
use crate::engine::Published;
use crate::programme::{Document, Plan};
use crate::store::{Dictionary, Names, Store};

/// A campaign and its history.
pub struct Account<'a> {
    pub id: &'a str,
    /// None where the programme does not hold it.
    pub held: Option<Held<'a>>,
    pub progress: Progress<'a>,
    /// In their order, each with what is irregular in it.
    pub history: Vec<(&'a Change, Option<Refused>)>,
}

/// What the programme holds of a campaign.
pub struct Held<'a> {
    pub plan: &'a Plan,
    pub campaign: &'a Campaign,
    pub course: Course<'a>,
}

impl<'a> Held<'a> {
    fn of(document: &'a Document) -> impl Iterator<Item = Held<'a>> {
        let plans = document.plans.iter().zip(&document.programme.campaigns);
        plans.map(|(plan, campaign)| Held { plan, campaign, course: Course::of(plan, campaign) })
    }
}

impl<'a> Account<'a> {
    fn new(id: &'a str, held: Option<Held<'a>>, changes: &'a [Change]) -> Account<'a> {
        let (progress, irregular) = follow(held.as_ref().map(|held| &held.course), changes);
        Account { id, held, progress, history: changes.iter().zip(irregular).collect() }
    }

    fn course(&self) -> Option<&Course<'a>> {
        self.held.as_ref().map(|held| &held.course)
    }

    pub fn state(&self) -> State {
        self.progress.state(self.course())
    }

    /// The change that made it what it is; none where it has no changes.
    pub fn decisive(&self) -> Option<&'a Change> {
        self.progress.decisive(self.course())
    }

    /// Its cities, where work is by city.
    pub fn cities(&self) -> Vec<states::CityState<'a>> {
        self.course().map(|course| self.progress.cities(course)).unwrap_or_default()
    }

    /// What it may be set to next; nothing where the programme does not hold it.
    pub fn next(&self) -> Vec<State> {
        self.course().map(|course| self.progress.next(course)).unwrap_or_default()
    }
}

/// Every campaign, by its id.
pub fn accounts<'a>(
    document: &'a Document,
    histories: &'a BTreeMap<String, Vec<Change>>,
) -> BTreeMap<&'a str, Account<'a>> {
    let held = Held::of(document).map(|held| (held.plan.id.as_str(), Some(held)));
    let mut campaigns: BTreeMap<&str, Option<Held<'a>>> = histories.keys().map(|id| (id.as_str(), None)).collect();
    campaigns.extend(held);
    let account = |(id, held)| (id, Account::new(id, held, histories.get(id).map_or(&[], Vec::as_slice)));
    campaigns.into_iter().map(account).collect()
}

/// The account of one campaign; none where neither the programme nor a change names it.
pub fn account<'a>(document: &'a Document, id: &'a str, changes: &'a [Change]) -> Option<Account<'a>> {
    let held = Held::of(document).find(|held| held.plan.id == id);
    (held.is_some() || !changes.is_empty()).then(|| Account::new(id, held, changes))
}

/// The standing changes of each campaign, by its id. The store is asked for nothing else meanwhile.
pub fn histories(store: &Store, names: &Names) -> BTreeMap<String, Vec<Change>> {
    let text = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
    store
        .campaign_states()
        .map(|(campaign, rows)| (text(campaign), rows.map(|row| change(row, text)).collect()))
        .collect()
}

/// Those of one campaign.
pub fn history(store: &Store, names: &Dictionary, id: &str) -> Vec<Change> {
    let text = |word: Word| names.words.text(word.0).unwrap_or_default().to_owned();
    let Some(campaign) = names.words.find(id).map(Word) else { return Vec::new() };
    let own = store.campaign_states().filter(|(other, _)| *other == campaign);
    own.flat_map(|(_, rows)| rows).map(|row| change(row, text)).collect()
}

fn change(row: &CampaignStateRow, text: impl Fn(Word) -> String) -> Change {
    Change {
        change_id: row.change_id.to_string(),
        at: row.at,
        state: row.state,
        city: Some(text(row.city)).filter(|city| !city.is_empty()),
        by: row.by.to_string(),
        note: row.note.as_deref().map(str::to_owned),
    }
}

/// How many customers a campaign lists, by arm, and how many of its audience it leaves out.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub arms: [i64; Arm::ALL.len()],
    pub excluded: i64,
    /// Of the arm target, by channel.
    pub channels: BTreeMap<Word, i64>,
}

impl Counts {
    pub fn arm(&self, arm: Arm) -> i64 {
        self.arms[arm as usize]
    }
}

/// The counts of every campaign that lists anybody or leaves somebody out.
pub fn counts(published: &Published) -> BTreeMap<Word, Counts> {
    let mut counts: BTreeMap<Word, Counts> = BTreeMap::new();
    for (cell, count) in published.counts_of(views::Family::Others) {
        match cell {
            views::Change::TargetCount { campaign, channel, arm } => {
                let own = counts.entry(campaign).or_default();
                own.arms[arm as usize] += count as i64;
                if arm == Arm::Target {
                    *own.channels.entry(channel).or_insert(0) += count as i64;
                }
            }
            views::Change::TargetExcluded { campaign, .. } => {
                counts.entry(campaign).or_default().excluded += count as i64;
            }
            _ => {}
        }
    }
    counts
}
