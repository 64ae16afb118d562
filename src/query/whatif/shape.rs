//! Where things stand in the programme in force, and where in the one that is proposed.

use std::sync::Arc;

use dataflows::customers::SegmentPlaces;
use dataflows::rules::compiled::Compiled;
use dataflows::table::chunk::{ABSENT, FIRST_CLASS};
use dataflows::table::column::Bits;
use dataflows::targets::Column;
use dataflows::tiers;
use dataflows::types::Word;

/// What a thread finds its way by.
pub(super) struct Shape {
    pub segments: Vec<SegmentPlaces>,
    /// The tier of each class code, in force and proposed: none where the code has no row.
    pub tiers: (Vec<Option<Word>>, Vec<Option<Word>>),
    /// Codes of classes mean the same in both.
    pub same_tiers: bool,
    /// Balances have the same ranks in both.
    pub same_ranks: bool,
    pub campaigns: Vec<CampaignPlaces>,
    /// The members of a segment that has none, and the list of a campaign that is not there.
    pub nobody: Arc<Bits>,
    pub nothing: Column,
}

/// Where a campaign stands in either programme.
pub(super) struct CampaignPlaces {
    pub campaign: Word,
    pub old: Option<usize>,
    pub new: Option<usize>,
    /// It is the same word for word: then so is what its codes mean.
    pub same: bool,
}

impl Shape {
    pub fn of(old: &Compiled, new: &Compiled) -> Shape {
        let tiers = |rules: &Compiled| -> Vec<Option<Word>> {
            let codes = 0..usize::from(FIRST_CLASS) + rules.tiers.len();
            let has_row = |code: &u8| *code != ABSENT && !rules.tiers.is_empty();
            codes.map(|code| Some(code as u8).filter(has_row).map(|code| tiers::word(rules, code))).collect()
        };
        let tiers = (tiers(old), tiers(new));
        let (olds, news) = (&old.targets.listings, &new.targets.listings);
        let place = |word: Word, of: &[dataflows::targets::Listing]| of.iter().position(|listing| listing.id == word);
        let fresh = news.iter().map(|listing| listing.id).filter(|word| place(*word, olds).is_none());
        let campaigns = olds.iter().map(|listing| listing.id).chain(fresh).map(|campaign| {
            let (was, is) = (place(campaign, olds), place(campaign, news));
            let same = was.zip(is).is_some_and(|(was, is)| old.programme.campaigns[was] == new.programme.campaigns[is]);
            CampaignPlaces { campaign, old: was, new: is, same }
        });
        Shape {
            segments: SegmentPlaces::between(old, new),
            same_tiers: tiers.0 == tiers.1,
            same_ranks: !old.differs_in_ranks(new) && old.points.is_there == new.points.is_there,
            tiers,
            campaigns: campaigns.collect(),
            nobody: Arc::new(Bits::none()),
            nothing: Column::empty(),
        }
    }
}
