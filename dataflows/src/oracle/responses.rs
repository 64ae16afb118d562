//! One customer's response groups, from rows.

use super::Standing;
use super::points::own;
use crate::records::{FeedbackKind, Outcome};
use crate::targets::Offer;
use crate::types::{CustomerIx, Word};

impl Standing {
    /// The category of the product that a campaign offers; none of a pack's.
    fn offered_category(&self, campaign: Word) -> Option<&str> {
        let id = &*self.words[campaign.0 as usize];
        let campaign = self.programme.campaigns.iter().find(|campaign| campaign.id == id)?;
        let Offer::Product(product) = &campaign.offer else { return None };
        let row = self.products.iter().find(|(word, _)| &*self.words[word.0 as usize] == product)?;
        self.category(row.1.category)
    }

    fn category(&self, category: Word) -> Option<&str> {
        (!category.is_null()).then(|| &*self.words[category.0 as usize])
    }

    /// `response.CATEGORY` of a customer.
    pub fn response(&self, customer: CustomerIx, category: &str) -> &'static str {
        let feedbacks: Vec<FeedbackKind> = own(&self.feedbacks, customer)
            .filter(|(_, feedback)| {
                let of = match self.products.get(&feedback.product) {
                    Some(row) if !feedback.product.is_null() => self.category(row.category),
                    _ if feedback.product.is_null() => self.offered_category(feedback.campaign),
                    _ => None,
                };
                of == Some(category)
            })
            .map(|(_, feedback)| feedback.kind)
            .collect();
        let is_contacted = own(&self.contacts, customer).any(|(_, contact)| {
            contact.outcome != Outcome::Withheld && self.offered_category(contact.campaign) == Some(category)
        });
        let said = |kind| feedbacks.contains(&kind);
        use FeedbackKind::*;
        if said(Optout) {
            "opted_out"
        } else if said(Complaint) {
            "complained"
        } else if said(Order) {
            "ordered"
        } else if said(Decline) {
            "declined"
        } else if [Open, Consult, Later, Survey].into_iter().any(said) {
            "responded"
        } else if is_contacted || said(Shown) {
            "no_response"
        } else {
            "never_contacted"
        }
    }
}
