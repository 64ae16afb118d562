//! What customers order here: a reply or a tap becomes a durable order request, which somebody provisions.
//!
//! ```text
//! reply, offer ─► may he? ─► requested ─► a batch (a file that is taken) ─► opened: order, feedback
//!                    └─────► failed, with the reply of what keeps him             └─► failed, with why
//! ```
//!
//! Decided here, where the contract is silent:
//! - The same contact makes one request, whoever sends the reply again, and whatever became of it. Of a product a
//!   customer has one request at a time that waits: who asks again is answered with that.
//! - What keeps a customer is asked in this order: the restrictions, as the programme has them; `held`; `terminal`. Who is
//!   kept has a request all the same, which failed.
//! - A reply of a campaign orders what the target list offers him; where it lists him no longer, what it would offer
//!   first. A reply that is not understood is answered with what the campaign says on the channel, and writes nothing.
//! - The offers of a page: the pack of the customer's class, then the campaigns that run, have begun and list him as target,
//!   five in all; then what campaigns are left, and the other products by their value. What a product's campaign says goes
//!   with it. Who opted out, or is on the list do_not_contact, is offered nothing at all.
//! - What is offered without a campaign and not taken is a feedback of the campaign `-`, with the product.
//! - An answer of who provisions counts once. One that comes again changes nothing; one that says something else is
//!   told apart and left: what was opened is ended by an order that cancels. A file's answer to a request that there is not
//!   counts once that is made.
//! - What is opened is an order of the request's id, and an `order` feedback where it was of a campaign. They are durable
//!   after the request; a machine that stops between them makes them when it starts again.
//! - A request, and all that follows from it, is noted beside the outbox, as opt-outs are: an older copy of the data
//!   forgets none, and gives none out again.

mod answers;
mod batches;
mod contact;
mod entry;
mod fit;
mod heard;
mod offers;
mod page;
mod provision;
mod replies;
mod requests;
mod said;
mod worklist;

pub use answers::{Answer, Answered, Given};
pub use batches::Batches;
pub use fit::Kept;
pub(crate) use heard::is_heard_of;
pub use offers::{Accepted, OfferAnswer, Taken};
pub use page::{NotWhy, Offer, Page, Why};
pub use provision::Provisioned;
pub use replies::{Replied, Reply};
pub use requests::{Asked, Told, Words};
pub use worklist::{CLAIM_SECONDS, CallOutcome, Called, Claimed, Claims, Resulted, Task, TaskState, Which};
