//! Campaigns of the field reports: contacts, and what came of them.

use super::{Golden, Lift, is_of};

/// A campaign's arm, as the reports count it.
#[derive(Clone, Copy)]
pub struct Counts {
    pub campaign: &'static str,
    pub channel: &'static str,
    pub arm: &'static str,
    /// Customers delivered to; of arm control: kept back.
    pub covered: usize,
    pub succeeded: usize,
}

const fn counts(
    campaign: &'static str,
    channel: &'static str,
    arm: &'static str,
    covered: usize,
    succeeded: usize,
) -> Counts {
    Counts { campaign, channel, arm, covered, succeeded }
}

/// Four concerts offer ringback tones. Success rates 23.8%, 17.3%, 19.3%, 25.4%.
pub const CONCERTS: [Counts; 4] = [
    counts("pop_concert_a", "sms", "target", 24_918, 5_921),
    counts("wind_concerto", "sms", "target", 1_775, 307),
    counts("zither_concert", "wap", "target", 1_497, 289),
    counts("pop_concert_b", "sms", "target", 6_341, 1_611),
];

/// Two offers at the stop, to those whom they are for and to as many others, made to the reports' percentages.
pub const STOPS: [Counts; 4] = [
    counts("stop_newspaper", "sms", "target", 1_000, 132),
    counts("stop_newspaper", "sms", "random", 1_000, 34),
    counts("stop_wap", "sms", "target", 1_000, 157),
    counts("stop_wap", "sms", "random", 1_000, 51),
];

/// Over the random arm, which stands for control where there is none.
pub const STOP_LIFTS: [Lift; 2] = [
    Lift { campaign: "stop_newspaper", success_rate: 1_320, uplift: 980, uplift_low: 744, uplift_high: 1_224 },
    Lift { campaign: "stop_wap", success_rate: 1_570, uplift: 1_060, uplift_low: 798, uplift_high: 1_327 },
];

/// Guidance in the store, and the promotion done before: 300 of 6,700 is 6.7 times less than 30%.
pub const STORE: [Counts; 2] = [
    counts("store_guidance", "store", "target", 122_000, 36_600),
    counts("store_before", "store", "target", 6_700, 300),
];

/// Customers of a campaign with contacts that all failed, one for each of these delivered to.
const FAILED_EVERY: usize = 20;

const PROGRAMME: &str = r#"
[[campaign]]
id = "pop_concert_a"
audience = "true"
product = "crbt"
channels = ["sms"]
baseline = 0.04

[[campaign]]
id = "wind_concerto"
audience = "true"
product = "crbt"
channels = ["sms"]
baseline = 0.04

[[campaign]]
id = "zither_concert"
audience = "true"
product = "crbt"
channels = ["wap"]
baseline = 0.04

[[campaign]]
id = "pop_concert_b"
audience = "true"
product = "crbt"
channels = ["sms"]
baseline = 0.04

# No baseline: the random arm is the old way.
[[campaign]]
id = "stop_newspaper"
audience = "true"
product = "mobile_newspaper"
channels = ["sms"]

[[campaign]]
id = "stop_wap"
audience = "true"
product = "wap"
channels = ["sms"]

[[campaign]]
id = "store_guidance"
audience = "true"
product = "139mail"
channels = ["store"]
baseline = "store_before"

[[campaign]]
id = "store_before"
audience = "true"
product = "139mail"
channels = ["store"]
"#;

/// The campaigns of some counts, or of all. The channels' unit costs are the mission's, in yuan; WAP has none.
pub fn golden(counts: &[Counts]) -> Golden {
    let mut golden = Golden::new(PROGRAMME.to_owned(), "2009-10");
    let channels = ["store,2", "outbound,1.3", "sms,0.1", "mms,0.3", "wap,"].map(str::to_owned);
    golden.feed("channel", "channel_id,unit_cost", channels.into());
    let mut rows = Rows::default();
    for (arm, counts) in counts.iter().enumerate() {
        rows.arm(arm, counts);
    }
    rows.into_feeds(&mut golden);
    golden
}

/// What effect_rate counts as complaints, of an arm that is contacted.
pub fn complained(counts: &Counts) -> usize {
    counts.covered.div_ceil(Rows::COMPLAIN_EVERY)
}

/// Rows of contacts and feedback; ids go by their number.
#[derive(Default)]
struct Rows {
    contacts: Vec<String>,
    feedback: Vec<String>,
}

impl Rows {
    const COMPLAIN_EVERY: usize = 50;

    /// Customers of random and control arms are others than those of the target arm; apart from that, the same
    /// are in every campaign.
    fn arm(&mut self, arm: usize, counts: &Counts) {
        let customer = |index: usize| format!("{}{index:06}", counts.arm);
        for index in 0..counts.covered {
            self.covered(&customer(index), arm, index, counts);
        }
        for index in counts.covered..counts.covered + counts.covered / FAILED_EVERY {
            self.contact(&customer(index), counts, At(2 + index % 20, 9, index), "failed");
            if index % 2 == 0 {
                self.feedback(&customer(index), counts, At(3 + index % 20, 9, index), "order");
            }
        }
    }

    fn covered(&mut self, customer: &str, arm: usize, index: usize, counts: &Counts) {
        let (day, outcome) = (2 + index % 20, if counts.arm == "control" { "withheld" } else { "delivered" });
        self.contact(customer, counts, At(day, 10, index), outcome);
        if index.is_multiple_of(7) {
            self.contact(customer, counts, At(day + 1, 10, index), outcome);
        }
        if index.is_multiple_of(11) {
            self.contact(customer, counts, At(day, 9, index), "failed");
        }
        if is_of(counts.succeeded, counts.covered, index + arm) {
            // The first of five orders in the second of the contact, which counts.
            self.feedback(customer, counts, At(day + index % 5, 10, index), "order");
            if index.is_multiple_of(3) {
                self.feedback(customer, counts, At(day + 6, 11, index), "order");
            }
        } else if index.is_multiple_of(10) {
            self.feedback(customer, counts, At(day - 1, 8, index), "order");
        } else if index.is_multiple_of(9) {
            self.feedback(customer, counts, At(day + 1, 12, index), "decline");
        }
        if index.is_multiple_of(4) {
            self.feedback(customer, counts, At(day, 11, index), "open");
        }
        if index.is_multiple_of(Self::COMPLAIN_EVERY) {
            self.feedback(customer, counts, At(day + 2, 15, index), "complaint");
            self.feedback(customer, counts, At(day + 2, 16, index), "complaint");
        }
    }

    fn contact(&mut self, customer: &str, counts: &Counts, at: At, outcome: &str) {
        let (id, Counts { campaign, channel, arm, .. }) = (self.contacts.len(), counts);
        // No arm means the target's.
        let arm = if *arm == "target" && id.is_multiple_of(2) { "" } else { arm };
        self.contacts.push(format!("k{id},{campaign},{customer},{channel},{},{outcome},{arm}", at.text()));
    }

    /// The channel that feedback came over is another than the contact's, which it is counted under.
    fn feedback(&mut self, customer: &str, counts: &Counts, at: At, kind: &str) {
        let (id, campaign) = (self.feedback.len(), counts.campaign);
        self.feedback.push(format!("f{id},{campaign},{customer},{kind},{},web", at.text()));
    }

    fn into_feeds(self, golden: &mut Golden) {
        let header = "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm";
        golden.feed("contact", header, self.contacts);
        golden.feed("feedback", "feedback_id,campaign_id,customer_id,kind,at,channel_id", self.feedback);
    }
}

/// A day of October 2009, an hour, and an index that gives minute and second.
struct At(usize, usize, usize);

impl At {
    fn text(&self) -> String {
        let At(day, hour, index) = self;
        format!("2009-10-{day:02} {hour:02}:{:02}:{:02}", index / 60 % 60, index % 60)
    }
}
