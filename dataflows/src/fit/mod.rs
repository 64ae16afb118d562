//! Fit: which product suits which customer, over which channel.
//!
//! Reads   the programme's `[fit]`; products, channels, orders, contacts, feedback, scores; classes, segments, drives
//! Gives   for any customer, product and channel three pair scores and the whole, each 0 to 100.00
//!
//! ```text
//! chunks ─► summaries, remembered ─► rates of the last closed day ─┐
//!                                    affinities, own orders ───────┴─► pair scores ─► the best five
//! ```
//!
//! Rates hang on everybody; a score hangs on rates and its customer. Kept up in the dataflow, a segment's rate would
//! make everybody's scores anew with every member that it gains. So a chunk tells its part of the rates when it is
//! first read and remembers that until it changes, and scores are computed for whom they are asked. Orders, contacts
//! and feedback of the day of `now` move no rate: they would move it all day long.
//!
//! The formulas, in whole hundredths, each division rounded down:
//!
//! - customer-product = the mean, by the weights of `parts`, of
//!   - affinity: 50.00 and the points of every affinity that names the product, or its category, and the customer's
//!     class, a segment or a drive of his; from 0 to 100.00;
//!   - lift: of each of his segments 50.00 x (h' + k h / n) / (n' + k) / (h / n), at most 100.00, and of these the
//!     mean; 50.00 where he is in none or nobody holds the product. h of n customers of the population hold it, h' of
//!     the n' in the segment; k is `smoothing`;
//!   - score: what the model that `scores` names for the product says of him, from 0 to 100.00; left out where it
//!     says nothing.
//!
//!   It is 0 where he holds the product, or his terminal cannot use it.
//! - product-channel = the mean of two, each as a share of that of the product's best channel; where nobody was
//!   contacted for anything, the first alone:
//!   - (o' + k o" / o) / (o* + k): o' of the o* orders of the product came over the channel, o" of the o orders of all;
//!   - (s + k S / N) / (r + k): s of the r customers whom campaigns for the product were delivered to over the channel
//!     ordered there; S of N are those of all campaigns and channels.
//! - customer-channel = (u + k U' / U), as a share of that of his best channel. u are his own orders and cancellations
//!   over the channel, U' of U those of the members of his segments, or of everybody where they have none.
//! - the whole = the geometric mean of the three by `weights`, taken by logarithms in whole numbers.
//!
//! Decided here, where the contract is silent:
//! - Trials are orders. An order without a channel tells nothing of channels.
//! - Products and channels are those with a row of their own. Without channels there is no fit, nor without `[fit]`.
//! - The fit of a customer is over the channels that his terminal takes (mms needs mms; wap and wap_push need wap).
//! - Customers are those of the population.
//! - The best five are those with the greatest whole, each on its best channel: of equals the lesser id, as bytes. A
//!   product whose whole is 0 is not among them.
//! - Own orders count from the moment they are there; so does what he holds.

mod logarithm;
mod rates;
mod rules;
mod scores;
mod summary;

pub use rates::{Followed, Rates};
pub use rules::{Affinity, FIT_WEIGHT_MAX, Fit, Kin, Of, Rules, SMOOTHING_MAX, is_kin};
pub use scores::{BEST, Scored, Scores};
pub use summary::{Memo, Summary, is_summed_up, summary};

use crate::types::{Clock, Time};

/// 100.00.
pub const FULL: i64 = 10_000;

/// The first second that rates do not know: that of the day of `now`. Without a clock they know nothing.
pub fn closed(clock: Clock) -> Time {
    clock.now.map_or(Time(i64::MIN), |now| now.day().start())
}
