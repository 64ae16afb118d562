//! Arms by hash, so that anyone can recompute them.
//!
//! The draw of a customer in a campaign is SHA-256 (FIPS 180-4) over `campaign_id:customer_id` in UTF-8: its
//! first 8 bytes as a big-endian number, modulo 10,000. Below the holdout it is the control arm. The global
//! control group is drawn likewise with `*` for the campaign.

use sha2::{Digest, Sha256};

use super::WHOLE;

/// The campaign of the global control group.
pub const EVERY_CAMPAIGN: &str = "*";

/// The draw: 0 to 9,999.
pub fn draw(campaign: &str, customer: &str) -> u32 {
    let hash = Sha256::new().chain_update(campaign).chain_update(":").chain_update(customer).finalize();
    let first: [u8; 8] = std::array::from_fn(|place| hash[place]);
    (u64::from_be_bytes(first) % u64::from(WHOLE)) as u32
}

/// Whether a customer is kept back from a campaign: by its own holdout, or by that of all.
pub fn is_control(campaign: &str, customer: &str, holdout: u32, of_all: u32) -> bool {
    holdout > 0 && draw(campaign, customer) < holdout || of_all > 0 && draw(EVERY_CAMPAIGN, customer) < of_all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_the_published_hash() {
        // printf 'pop_concert_crbt:c1' | sha256sum | cut -c1-16, and so on.
        assert_eq!(draw("pop_concert_crbt", "c1"), 5_742);
        assert_eq!(draw("*", "c1"), 8_809);
        assert_eq!(draw("", ""), 4_368);
    }

    #[test]
    fn a_holdout_keeps_back_its_share() {
        let kept = (0..20_000).filter(|ix| is_control("c", &format!("k{ix}"), 1_000, 0)).count();
        assert!((1_850..2_150).contains(&kept), "{kept} of 20,000 at a tenth");
        let both = (0..20_000).filter(|ix| is_control("c", &format!("k{ix}"), 1_000, 1_000)).count();
        assert!((3_650..3_950).contains(&both), "{both} of 20,000 at a tenth each");
    }
}
