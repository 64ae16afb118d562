//! The MineThatData e-mail analytics challenge: 64,000 customers of a shop, a third of them sent e-mail about
//! men's clothes, a third about women's, a third none; what they did in the two weeks after.
//!
//! Hillstrom, K., "The MineThatData E-Mail Analytics And Data Mining Challenge", blog.minethatdata.com, 20 March
//! 2008. Counts and sums are of its file of 64,000 rows, by `segment`: customers, `visit`, `conversion`, `spend`.
//! The day of the test was not published: ours is 1 February 2008.

use super::{Golden, Lift, is_of};

/// One of the three groups.
pub struct Group {
    pub customers: usize,
    pub visits: usize,
    pub conversions: usize,
    /// Of all conversions, in hundredths of a dollar.
    pub spend: usize,
}

pub const MENS: Group = Group { customers: 21_307, visits: 3_894, conversions: 267, spend: 3_031_169 };
pub const WOMENS: Group = Group { customers: 21_387, visits: 3_238, conversions: 189, spend: 2_303_811 };
pub const NONE: Group = Group { customers: 21_306, visits: 2_262, conversions: 122, spend: 1_390_833 };

/// Whose visit is a success.
pub const VISITS: [Lift; 2] = [
    Lift { campaign: "mens", success_rate: 1_828, uplift: 766, uplift_low: 700, uplift_high: 832 },
    Lift { campaign: "womens", success_rate: 1_514, uplift: 452, uplift_low: 389, uplift_high: 516 },
];

/// Whose purchase is a success.
pub const CONVERSIONS: [Lift; 2] = [
    Lift { campaign: "mens", success_rate: 125, uplift: 68, uplift_low: 50, uplift_high: 86 },
    Lift { campaign: "womens", success_rate: 88, uplift: 31, uplift_low: 15, uplift_high: 47 },
];

const PROGRAMME: &str = r#"
[[campaign]]
id = "mens"
audience = "true"
channels = ["mail"]

[[campaign]]
id = "womens"
audience = "true"
channels = ["mail"]
"#;

/// What counts as a success and stands as an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Visit,
    Conversion,
}

/// Who was sent nothing is the control group of both campaigns. Spend is the amount of a customer's first order;
/// those who order again under another id give no amount. Where visits are the successes, there are no amounts.
pub fn golden(outcome: Outcome) -> Golden {
    let mut golden = Golden::new(PROGRAMME.to_owned(), "2008-02");
    let (mut contacts, mut feedback) = (Vec::new(), Vec::new());
    let groups = [
        ("mens", "target", "m", MENS),
        ("womens", "target", "w", WOMENS),
        ("mens", "control", "n", NONE),
        ("womens", "control", "n", NONE),
    ];
    for (campaign, arm, prefix, group) in groups {
        let (successes, spend) = match outcome {
            Outcome::Visit => (group.visits, 0),
            Outcome::Conversion => (group.conversions, group.spend),
        };
        let sent = if arm == "target" { "delivered" } else { "withheld" };
        // The first success carries what is left when the others carry the same.
        let (each, mut amount) = (spend / successes, spend / successes + spend % successes);
        for index in 0..group.customers {
            let customer = format!("{prefix}{index:05}");
            let id = contacts.len();
            contacts.push(format!("k{id},{campaign},{customer},mail,2008-02-01 08:00:00,{sent},{arm}"));
            if is_of(successes, group.customers, index) {
                let (id, day) = (feedback.len(), 1 + index % 14);
                let (yuan, fen) = (amount / 100, amount % 100);
                let row = |id: usize, rest: &str| format!("f{id},{campaign},{customer},order,{rest}");
                feedback.push(row(id, &format!("2008-02-{day:02} 08:00:00,{yuan}.{fen:02}")));
                if index.is_multiple_of(2) {
                    feedback.push(row(id + 1, &format!("2008-02-{:02} 09:00:00,", day + 1)));
                }
                amount = each;
            }
        }
    }
    golden.feed("contact", "contact_id,campaign_id,customer_id,channel_id,at,outcome,arm", contacts);
    golden.feed("feedback", "feedback_id,campaign_id,customer_id,kind,at,amount", feedback);
    golden
}
