//! Targets: whom each campaign lists, over which channel, in which arm; and why not the others.

mod campaign;

pub use campaign::{
    ANY_CHANNEL, CAMPAIGNS_MAX, CHANNELS_MAX, Campaign, Cap, DAYS_MAX, DO_NOT_CONTACT, LISTS_MAX, Limits, MARKETING,
    Offer, PACK_MAX, Pack, Span, WHOLE,
};
