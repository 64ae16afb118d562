//! Response groups: what has come of all campaigns for a category of services, customer by customer.
//!
//! Reads   contacts, feedback; what campaigns offer, the categories of products
//! Gives   `response.CATEGORY`
//!
//! Decided here, where the contract is silent:
//! - A contact is of the category of the product that its campaign offers; of a pack's campaign it is of none. A
//!   feedback is of the category of the product that it names, and of its campaign's product where it names none.
//! - Of several groups the last in the order of [`RESPONSES`] holds, whenever it was: who once complained is not asked
//!   as somebody who ordered since.
//! - Contacted is who effect counts as contacted: delivered or failed, withheld not. Who was shown an offer when he
//!   called was contacted by that.

use hashbrown::HashMap;

use crate::programme::Programme;
use crate::records::{FeedbackKind, Outcome};
use crate::table::Chunk;
use crate::table::catalog::Catalog;
use crate::table::moments::of_slot;
use crate::targets::Offer;
use crate::types::Word;

/// The values of `response.CATEGORY`, from the weakest to the strongest; never null.
pub const RESPONSES: [&str; 7] =
    ["never_contacted", "no_response", "responded", "declined", "ordered", "complained", "opted_out"];

/// The groups, by place in [`RESPONSES`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Response {
    NeverContacted,
    Silent,
    Responded,
    Declined,
    Ordered,
    Complained,
    OptedOut,
}

impl Response {
    fn of(kind: FeedbackKind) -> Response {
        match kind {
            FeedbackKind::Shown => Response::Silent,
            FeedbackKind::Open | FeedbackKind::Consult | FeedbackKind::Later | FeedbackKind::Survey => {
                Response::Responded
            }
            FeedbackKind::Decline => Response::Declined,
            FeedbackKind::Order => Response::Ordered,
            FeedbackKind::Complaint => Response::Complained,
            FeedbackKind::Optout => Response::OptedOut,
        }
    }
}

/// What campaigns offer, where that is one product.
pub type Offered = HashMap<Word, Word, foldhash::fast::RandomState>;

/// The products that campaigns offer. `word` gives the number of a name, where it has one.
pub fn offered(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Offered {
    let offered = programme.campaigns.iter().filter_map(|campaign| match &campaign.offer {
        Offer::Product(product) => Some((word(&campaign.id)?, word(product)?)),
        _ => None,
    });
    offered.collect()
}

/// What groups are decided by, in words.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Rules {
    offered: Offered,
    /// In the order of [`RESPONSES`]; null where no rule asks.
    words: [Word; 7],
}

impl Rules {
    /// `word` gives the number of a name, where it has one.
    pub fn new(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Rules {
        Rules { offered: offered(programme, word), words: RESPONSES.map(|name| word(name).unwrap_or_default()) }
    }
}

/// The group of a customer.
pub fn response(rules: &Rules, catalog: &Catalog, chunk: &Chunk, category: Option<Word>, slot: usize) -> Word {
    let is_meant = |product: Word| {
        let of = catalog.product(product).category;
        !product.is_null() && !of.is_null() && Some(of) == category
    };
    let offered = |campaign: Word| rules.offered.get(&campaign).copied().unwrap_or_default();
    let contacts = of_slot(&chunk.contacts, slot).iter().map(|(_, contact)| contact);
    let is_contacted = contacts
        .filter(|contact| contact.outcome != Outcome::Withheld)
        .any(|contact| is_meant(offered(contact.campaign)));
    let feedbacks = of_slot(&chunk.feedbacks, slot).iter().map(|(_, feedback)| feedback);
    let feedbacks = feedbacks.filter(|feedback| {
        is_meant(if feedback.product.is_null() { offered(feedback.campaign) } else { feedback.product })
    });
    let weakest = if is_contacted { Response::Silent } else { Response::NeverContacted };
    let group = feedbacks.map(|feedback| Response::of(feedback.kind)).fold(weakest, Response::max);
    rules.words[group as usize]
}
