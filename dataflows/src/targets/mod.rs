//! Targets: whom each campaign lists, over which channel, in which arm; and why not the others.
//!
//! Reads   the table, classes and the population; the programme's `[[campaign]]`, `[[pack]]` and caps; products, states
//!         of campaigns
//! Gives   a byte for each campaign and customer: rows of target, counts of target_count and target_excluded
//!
//! ```text
//! audience, population, cities ─► fit: exclusions, product, channel, arm ─► arbitration ─► codes
//! ```
//!
//! Decided here, where the contract is silent:
//! - A campaign lists from its publication until it is closed or its `dates` end, running or not: a planner sees whom
//!   it would reach. A campaign that is not approved takes nobody from one that is.
//! - Exclusions are tested in one order, and the first is told: `optout`, `list:do_not_contact`, the lists in the
//!   order in which the campaign names them, `consent`, `holders`, `terminal`, `never_with`, `not_after`, `declined`,
//!   `channel`, `cap`, `max_open` ([`codes::Reason`]). Opt-outs and the list do_not_contact bind every campaign.
//! - An opt-out (`feedback`, kind optout, of whatever campaign) stands until a later consent to anything.
//! - Consent is asked on the channel: the latest that was said of it, or of `*`, is a yes; a tie is a no.
//! - The channel is the first of the campaign's that the customer consents to, that his terminal can take (mms needs
//!   mms; wap and wap_push need wap) and that no cap closes.
//! - `never_with` binds both campaigns: whom either has contacted, or lists first, the other leaves alone.
//! - A rolling window of n days holds contacts for n x 86,400 seconds, the last of which is the second before they have
//!   passed; a calendar week begins on Monday. Without a clock no time passes: everything counts.
//! - Whom a campaign has contacted or kept back stays on its list whatever the caps and its own contacts: they are
//!   asked again at the next hand-off.
//! - A decline keeps the product away that it names, or else the campaign, for `decline_days`; "later" likewise.
//! - A pack offers its first product that is neither held nor beyond the terminal nor declined.
//! - The random arm is drawn from the population outside the audience: draws of 10,000 less the share and above.

mod arbitration;
mod arms;
mod campaign;
pub mod codes;
mod fit;
mod gate;
mod past;
mod rules;

use std::sync::Arc;

pub use arms::{EVERY_CAMPAIGN, draw, is_control};
pub use campaign::{
    ANY_CHANNEL, CAMPAIGNS_MAX, CHANNELS_MAX, Campaign, Cap, DAYS_MAX, DO_NOT_CONTACT, LISTS_MAX, Limits, MARKETING,
    Offer, PACK_MAX, Pack, Span, WHOLE,
};
pub use fit::{Candidates, Grounds, is_opted_out};
pub use gate::{Gate, Progress, Refused};
pub use past::{Count, Past, Touched, after_days};
pub use rules::{Listing, Offering, Rules, names, needs, reason_of_list};

use crate::records::Arm;
use crate::table::column::{CHUNK, Slots};
use crate::types::{Time, Word};

/// Whom campaigns list of a chunk.
#[derive(Clone, Default)]
pub struct Targets {
    /// By place of the campaign in the programme.
    pub columns: Vec<Column>,
    /// By slot: when a decision changes by itself.
    dues: Vec<(u16, Time)>,
}

/// What one campaign makes of the customers of a chunk, by slot.
#[derive(Clone)]
pub struct Column {
    /// By itself.
    pub fit: Codes,
    /// Among the others: the same memory where that is the same.
    pub code: Codes,
    /// Words of what is offered, where that differs between customers.
    products: Option<Arc<[u32; CHUNK]>>,
}

/// A byte for each customer: see [`codes`].
pub type Codes = Arc<[u8; CHUNK]>;

thread_local! {
    /// Most campaigns list nobody of most chunks: one memory for all of those.
    static NOBODY: Codes = Arc::new([codes::OUTSIDE; CHUNK]);
}

impl Column {
    /// Nobody is of the campaign.
    pub fn empty() -> Column {
        let nobody = NOBODY.with(Arc::clone);
        Column { fit: nobody.clone(), code: nobody, products: None }
    }

    /// Whether it is the same as another, at the cost of comparing pointers.
    pub fn is(&self, other: &Column) -> bool {
        let products = match (&self.products, &other.products) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        Arc::ptr_eq(&self.code, &other.code) && products
    }

    /// Channel, arm and product of a target in a slot.
    pub fn target(&self, slot: usize, listing: &Listing) -> Option<(Word, Arm, Word)> {
        let (channel, arm) = codes::target(self.code[slot])?;
        let product = match (&self.products, &listing.offering) {
            (Some(products), _) => Word(products[slot]),
            (None, Offering::Product(product)) => *product,
            (None, _) => Word::NULL,
        };
        Some((listing.channels.get(channel)?.0, arm, product))
    }

    /// Channel, arm and product of a target in a slot, by the programme's own names; `text` is that of a word.
    pub fn named<'a>(
        &self,
        slot: usize,
        campaign: &'a Campaign,
        text: impl Fn(Word) -> Option<&'a str>,
    ) -> Option<(&'a str, Arm, Option<&'a str>)> {
        let (channel, arm) = codes::target(self.code[slot])?;
        let product = match (&self.products, &campaign.offer) {
            (Some(products), _) => Some(Word(products[slot])).filter(|word| !word.is_null()).and_then(text),
            (None, Offer::Product(product)) => Some(product.as_str()),
            (None, _) => None,
        };
        Some((campaign.channels.get(channel)?, arm, product))
    }

    /// Whether what is offered differs between customers.
    pub fn has_products(&self) -> bool {
        self.products.is_some()
    }

    /// Whether a slot is offered something else than in another column.
    pub fn differs_in_product(&self, other: &Column, slot: usize) -> bool {
        match (&self.products, &other.products) {
            (Some(one), Some(other)) => one[slot] != other[slot],
            (one, other) => one.is_some() || other.is_some(),
        }
    }

    fn set_fit(&mut self, slots: &Slots, fit: fit::Fit) {
        let mut codes = *self.fit;
        fit.codes.iter().enumerate().for_each(|(place, code)| codes[slots.slot(place)] = *code);
        if codes != *self.fit {
            self.fit = shared(codes);
        }
        let Some(products) = fit.products else {
            self.products = None;
            return;
        };
        let mut words = self.products.as_ref().map_or([Word::NULL.0; CHUNK], |products| **products);
        products.iter().enumerate().for_each(|(place, word)| words[slots.slot(place)] = *word);
        if self.products.as_ref().is_none_or(|held| **held != words) {
            self.products = Some(Arc::new(words));
        }
    }

    fn set_codes(&mut self, codes: [u8; CHUNK]) {
        if codes == *self.fit {
            self.code = self.fit.clone();
        } else if codes != *self.code {
            self.code = shared(codes);
        }
    }
}

fn shared(codes: [u8; CHUNK]) -> Codes {
    let nobody = NOBODY.with(Arc::clone);
    if codes == *nobody { nobody } else { Arc::new(codes) }
}

impl Targets {
    /// When a decision of the chunk next changes by itself.
    pub fn next_due(&self) -> Option<Time> {
        self.dues.iter().map(|(_, due)| *due).min()
    }

    /// Whose decisions have changed by themselves by `now`.
    pub fn due_by(&self, now: Time) -> impl Iterator<Item = usize> {
        self.dues.iter().filter(move |(_, due)| *due <= now).map(|(slot, _)| usize::from(*slot))
    }

    /// The same with other columns.
    pub fn with_columns(&self, columns: Vec<Column>) -> Targets {
        Targets { columns, dues: self.dues.clone() }
    }

    /// The same with the campaigns at `places` of the programme decided anew for the candidates, and all arbitrated in
    /// `order`. Arms stand where they were drawn, but at the places of which `is_redrawn` is true.
    pub fn decide(
        mut self,
        candidates: Candidates<'_>,
        places: &[usize],
        is_redrawn: &dyn Fn(usize) -> bool,
        order: &[usize],
    ) -> Targets {
        let (rules, slots) = (candidates.grounds.rules, candidates.slots);
        for place in places {
            let held = (!is_redrawn(*place)).then(|| self.columns[*place].clone());
            let fit = candidates.fit(&rules.listings[*place], held.as_ref());
            self.columns[*place].set_fit(slots, fit);
        }
        arbitration::arbitrate(&candidates, order, &mut self.columns);
        let every_campaign = places.len() == rules.listings.len();
        let decided = candidates.dues();
        // What campaigns that are not decided anew wait for stands; a due too many costs a look.
        self.dues.retain(|(slot, _)| !every_campaign || slots.place(usize::from(*slot)).is_none());
        let dues = decided.into_iter().enumerate().filter_map(|(place, due)| Some((slots.slot(place) as u16, due?)));
        self.dues.extend(dues.filter(|(_, due)| *due < Time(i64::MAX)));
        self.dues.sort_unstable();
        self.dues.dedup();
        self
    }
}
