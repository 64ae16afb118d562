//! What a campaign is likely to bring: as many orders of those whom it lists as comparable ones had of theirs.
//!
//! Decided here, where the contract is silent:
//! - Comparable are the campaigns of the programme that offer the same product (or the same pack); where none of them
//!   has a contact delivered in the arm target, those with the same standing goal; then those whose product is of the
//!   same category. Nothing is mixed: the nearest likeness that has any stands alone.
//! - Successes are those of the view effect_rate: customers with an order of the campaign at or after its first
//!   delivered contact with them. Each comparable counts by its customers: the numbers are added, not the rates.
//! - The number is rounded down. What it costs is whom it lists, times what their channels cost; a channel without a
//!   unit cost costs nothing until it has one, and is named.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use dataflows::records::{Arm, FeedbackKind, Outcome};
use dataflows::targets::Offer;
use dataflows::types::{Time, Word};
use parking_lot::{Mutex, RwLock};

use super::accounts::counts;
use crate::engine::Published;
use crate::programme::{Document, Goal};
use crate::store::{Dictionary, Store};

/// What a campaign is likely to bring.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prediction {
    /// Whom it lists now in the arm target.
    pub listed: i64,
    /// Of them by channel, with what a contact costs, in fen.
    pub channels: Vec<(String, i64, Option<i64>)>,
    /// How the comparables are like it; none where there are none.
    pub likeness: Option<Likeness>,
    /// By id; each with a customer delivered to at least.
    pub basis: Vec<Comparable>,
}

/// In what a campaign is like another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Likeness {
    Product(String),
    Pack(String),
    Goal(String),
    Category(String),
}

/// A campaign that was, and what came of it, in customers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparable {
    pub campaign_id: String,
    pub delivered: i64,
    pub ordered: i64,
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Likeness::Product(id) => write!(f, "the same product, {id}"),
            Likeness::Pack(id) => write!(f, "the same pack, {id}"),
            Likeness::Goal(id) => write!(f, "the same goal, {id}"),
            Likeness::Category(id) => write!(f, "products of the same category, {id}"),
        }
    }
}

impl Prediction {
    /// Customers delivered to, and those of them who ordered, over all comparables.
    pub fn sums(&self) -> (i64, i64) {
        self.basis.iter().fold((0, 0), |(delivered, ordered), one| (delivered + one.delivered, ordered + one.ordered))
    }

    /// How many of those listed are likely to order; none where nothing is comparable.
    pub fn orders(&self) -> Option<i64> {
        let (delivered, ordered) = self.sums();
        let product = i128::from(self.listed) * i128::from(ordered);
        product.checked_div(i128::from(delivered)).and_then(|orders| i64::try_from(orders).ok())
    }

    /// What it costs to contact all who are listed, in fen.
    pub fn cost(&self) -> i128 {
        let costs = self.channels.iter().map(|(_, listed, cost)| i128::from(*listed) * i128::from(cost.unwrap_or(0)));
        costs.sum()
    }

    /// In a line, as it is kept with the state predicted.
    pub fn note(&self) -> String {
        /// Most comparables that are named.
        const NAMED_MAX: usize = 10;
        let (Some(orders), Some(likeness)) = (self.orders(), &self.likeness) else {
            return format!("nothing predicted of {} listed: no comparable campaign", self.listed);
        };
        let (delivered, ordered) = self.sums();
        let named: Vec<&str> = self.basis.iter().take(NAMED_MAX).map(|one| one.campaign_id.as_str()).collect();
        let more = self.basis.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "{orders} orders predicted of {} listed: {ordered} of {delivered} with {likeness}, in {}{more}",
            self.listed,
            named.join(", ")
        )
    }
}

/// What a prediction is made from.
#[derive(Clone, Copy)]
pub struct Grounds<'g> {
    pub document: &'g Document,
    pub published: &'g Published,
    pub names: &'g RwLock<Dictionary>,
    /// Asked for what channels cost and of which category products are, and let go of at once.
    pub store: &'g Mutex<Store>,
}

/// Predicts a campaign from what is published. None where the programme does not hold it.
pub fn predict(id: &str, grounds: Grounds<'_>) -> Option<Prediction> {
    let place = grounds.document.plans.iter().position(|plan| plan.id == id)?;
    let own = word(id, grounds).and_then(|word| counts(grounds.published).remove(&word)).unwrap_or_default();
    let channels = own.channels.iter().map(|(channel, listed)| {
        let name = grounds.names.read().words.text(channel.0).unwrap_or_default().to_owned();
        (name, *listed, grounds.store.lock().channel(*channel).and_then(|terms| terms.unit_cost))
    });
    let mut prediction =
        Prediction { listed: own.arm(Arm::Target), channels: channels.collect(), ..Default::default() };
    let likes = likes(place, grounds);
    let candidates = likes.iter().flat_map(|(_, ids)| ids);
    let words: HashMap<Word, &str> = candidates.filter_map(|id| Some((word(id, grounds)?, *id))).collect();
    let mut came = came(&words, grounds.published);
    for (likeness, ids) in likes {
        let basis: BTreeMap<&str, (i64, i64)> = ids.into_iter().filter_map(|id| came.remove_entry(id)).collect();
        if !basis.is_empty() {
            let comparable =
                |(id, (delivered, ordered)): (&str, _)| Comparable { campaign_id: id.to_owned(), delivered, ordered };
            prediction.basis = basis.into_iter().map(comparable).collect();
            prediction.likeness = Some(likeness);
            break;
        }
    }
    Some(prediction)
}

fn word(text: &str, grounds: Grounds<'_>) -> Option<Word> {
    grounds.names.read().words.find(text).map(Word)
}

/// The other campaigns that are like the one at a place of the programme, the nearest likeness first. One that is like
/// it in two ways stands under both.
fn likes(place: usize, grounds: Grounds<'_>) -> Vec<(Likeness, Vec<&str>)> {
    let Document { plans, programme, .. } = grounds.document;
    let others = |is_like: &dyn Fn(usize) -> bool| {
        let others = (0..plans.len()).filter(|other| *other != place && is_like(*other));
        others.map(|other| plans[other].id.as_str()).collect::<Vec<_>>()
    };
    let offer = |place: usize| &programme.campaigns[place].offer;
    let category = |place: usize| match offer(place) {
        Offer::Product(product) => grounds.store.lock().category(word(product, grounds)?),
        _ => None,
    };
    let mut likes = Vec::new();
    let offered = match offer(place) {
        Offer::Nothing => None,
        Offer::Product(product) => Some(Likeness::Product(product.clone())),
        Offer::Pack(pack) => Some(Likeness::Pack(pack.clone())),
        Offer::PackByTier => Some(Likeness::Pack("by_tier".to_owned())),
    };
    likes.extend(offered.map(|likeness| (likeness, others(&|other| offer(other) == offer(place)))));
    if let Some(Goal::Standing(goal)) = &plans[place].goal {
        likes.push((Likeness::Goal(goal.clone()), others(&|other| plans[other].goal == plans[place].goal)));
    }
    if let Some(own) = category(place) {
        let name = grounds.names.read().words.text(own.0).unwrap_or_default().to_owned();
        likes.push((Likeness::Category(name), others(&|other| category(other) == Some(own))));
    }
    likes
}

/// Of campaigns with a contact delivered in the arm target: customers delivered to, and those who ordered at or after
/// the first such contact. Looks at every contact and every feedback once.
fn came<'c>(campaigns: &HashMap<Word, &'c str>, published: &Published) -> HashMap<&'c str, (i64, i64)> {
    let mut came: HashMap<&str, (i64, i64)> = HashMap::new();
    if campaigns.is_empty() {
        return came;
    }
    for (chunk, _) in published.chunks() {
        // Rows of a customer stand in the order of time: his first contact is met first.
        let mut first: HashMap<(u16, Word), Time> = HashMap::new();
        for ((slot, at, _), contact) in chunk.contacts.rows() {
            let counts = contact.outcome == Outcome::Delivered && contact.arm == Arm::Target;
            let Some(id) = campaigns.get(&contact.campaign).filter(|_| counts) else { continue };
            if let Entry::Vacant(entry) = first.entry((*slot, contact.campaign)) {
                entry.insert(*at);
                came.entry(id).or_default().0 += 1;
            }
        }
        for ((slot, at, _), feedback) in chunk.feedbacks.rows() {
            let key = (*slot, feedback.campaign);
            let counts = feedback.kind == FeedbackKind::Order && first.get(&key).is_some_and(|first| at >= first);
            if let Some(id) = campaigns.get(&feedback.campaign).filter(|_| counts) {
                // Each customer once.
                first.remove(&key);
                came.entry(id).or_default().1 += 1;
            }
        }
    }
    came
}
