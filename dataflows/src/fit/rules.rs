//! `[fit]`, as the planner writes it and compiled.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::programme::Programme;
use crate::responses::{Offered, offered};
use crate::table::Chunk;
use crate::table::chunk::FIRST_CLASS;
use crate::types::Word;

/// What the planner decides of fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fit {
    /// Of customer-product, product-channel and customer-channel in the whole: each at most [`FIT_WEIGHT_MAX`], and one
    /// of them above 0.
    pub weights: [u32; 3],
    /// Of affinity, lift and score in customer-product; likewise.
    pub parts: [u32; 3],
    /// At most [`SMOOTHING_MAX`]. That many customers, orders or contacts of everybody's are mixed into those of few.
    pub smoothing: u32,
    pub affinities: Vec<Affinity>,
    /// By product, the model that foretells it.
    pub scores: BTreeMap<String, String>,
}

/// Percent, for whoever thinks in them.
pub const FIT_WEIGHT_MAX: u32 = 100;
pub const SMOOTHING_MAX: u32 = 1_000_000;

/// Whom what suits better than others, or worse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affinity {
    pub of: Of,
    pub kin: Kin,
    /// Hundredths, from -10,000 to 10,000.
    pub points: i64,
}

/// What suits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    Product(String),
    Category(String),
}

/// Whom it suits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kin {
    Tier(String),
    Segment(String),
    Drive(String),
}

impl Default for Fit {
    fn default() -> Fit {
        Fit { weights: [1; 3], parts: [1; 3], smoothing: 20, affinities: Vec::new(), scores: BTreeMap::new() }
    }
}

impl Fit {
    /// The names that it needs as words.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let of = self.affinities.iter().map(|affinity| match &affinity.of {
            Of::Product(name) | Of::Category(name) => name.as_str(),
        });
        of.chain(self.scores.iter().flat_map(|(product, model)| [product.as_str(), model]))
    }
}

/// Whether a customer is of a class or a segment; of a drive nobody is.
pub fn is_kin(kin: &Kin, programme: &Programme, chunk: &Chunk, slot: usize) -> bool {
    match kin {
        Kin::Tier(id) => programme
            .tiers
            .iter()
            .position(|tier| tier.id == *id)
            .is_some_and(|place| usize::from(chunk.class[slot]) == usize::from(FIRST_CLASS) + place),
        Kin::Segment(id) => programme
            .segments
            .iter()
            .position(|of| of.id == *id)
            .is_some_and(|place| chunk.segments.get(place).is_some_and(|members| members.get(slot))),
        // Nothing that is said goes by a drive.
        Kin::Drive(_) => false,
    }
}

/// What fit is computed by, in words and places.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Whether the programme has a `[fit]`.
    pub is_there: bool,
    pub(super) weights: [i64; 3],
    pub(super) parts: [i64; 3],
    pub(super) smoothing: i64,
    pub(super) affinities: Vec<CompiledAffinity>,
    pub(super) models: HashMap<Word, Word, foldhash::fast::RandomState>,
    pub(super) products: Offered,
    pub(super) segments: usize,
}

/// An affinity by places.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct CompiledAffinity {
    pub product: Option<Word>,
    pub category: Option<Word>,
    pub kin: Place,
    pub points: i64,
}

/// Who somebody is: a class code, or the place of a segment or a drive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Class(u8),
    Segment(usize),
    Drive(usize),
}

impl Rules {
    /// Those of a programme. `word` gives the number of a name, where it has one; `drives` stand in the order in which
    /// they are decided.
    pub fn new(programme: &Programme, drives: &[Word], word: &dyn Fn(&str) -> Option<Word>) -> Rules {
        let fit = programme.fit.clone().unwrap_or_default();
        let place = |kin: &Kin| match kin {
            Kin::Tier(id) => {
                let place = programme.tiers.iter().position(|tier| tier.id == *id);
                place.and_then(|place| u8::try_from(place).ok()).map(|place| Place::Class(FIRST_CLASS + place))
            }
            Kin::Segment(id) => programme.segments.iter().position(|of| of.id == *id).map(Place::Segment),
            Kin::Drive(id) => drives.iter().position(|of| Some(*of) == word(id)).map(Place::Drive),
        };
        let affinity = |affinity: &Affinity| {
            let (product, category) = match &affinity.of {
                Of::Product(product) => (Some(word(product)?), None),
                Of::Category(category) => (None, Some(word(category)?)),
            };
            Some(CompiledAffinity { product, category, kin: place(&affinity.kin)?, points: affinity.points })
        };
        let models = fit.scores.iter().filter_map(|(product, model)| Some((word(product)?, word(model)?)));
        Rules {
            is_there: programme.fit.is_some(),
            weights: fit.weights.map(i64::from),
            parts: fit.parts.map(i64::from),
            smoothing: i64::from(fit.smoothing),
            affinities: fit.affinities.iter().filter_map(affinity).collect(),
            models: models.collect(),
            products: offered(programme, word),
            segments: programme.segments.len(),
        }
    }
}
