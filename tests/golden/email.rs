//! The public e-mail experiment.

use super::data::Lift;
use super::data::email::{CONVERSIONS, Group, MENS, NONE, Outcome, VISITS, WOMENS, golden};
use super::{Run, rate, rounded, whole};

/// What was published of the experiment, in ten-thousandths: how many more of a hundred came, or bought.
const PUBLISHED_VISITS: [i64; 2] = [766, 452];
const PUBLISHED_CONVERSIONS: [i64; 2] = [68, 31];

#[track_caller]
fn hold(run: &Run, of: &Lift, published: i64, arm: &Group, succeeded: usize, of_control: usize) {
    let campaign = of.campaign;
    let target = run.row("effect_rate", &[("campaign_id", campaign), ("arm", "target")]);
    assert_eq!(rate(&target, "success_rate"), of.success_rate, "{target:?}");
    let [uplift, low, high] = ["uplift", "uplift_low", "uplift_high"].map(|column| rate(&target, column));
    assert_eq!((uplift, low, high), (of.uplift, of.uplift_low, of.uplift_high), "{target:?}");
    assert!((low..=high).contains(&published), "{target:?}");
    let control = run.row("effect_rate", &[("campaign_id", campaign), ("arm", "control")]);
    assert_eq!(rate(&control, "success_rate"), rounded(of_control, NONE.customers, 10_000), "{control:?}");
    assert_eq!(control["uplift"], "", "{control:?}");

    let row = run.row("effect_uplift", &[("campaign_id", campaign)]);
    assert_eq!(row["compared_with"], "control", "{row:?}");
    let counts = ["reached", "succeeded", "compared_reached", "compared_succeeded"].map(|column| whole(&row, column));
    assert_eq!(counts, [arm.customers, succeeded, NONE.customers, of_control].map(|count| count as i64), "{row:?}");
    let (always_low, always_high) = (rate(&row, "always_low"), rate(&row, "always_high"));
    assert!(always_low < low && high < always_high && (always_low..=always_high).contains(&published), "{row:?}");
}

#[test]
fn visits_rise_as_published() {
    let run = Run::over(&golden(Outcome::Visit));
    for ((lift, published), arm) in VISITS.iter().zip(PUBLISHED_VISITS).zip([MENS, WOMENS]) {
        hold(&run, lift, published, &arm, arm.visits, NONE.visits);
    }
}

#[test]
fn conversions_and_spend_are_those_of_the_file() {
    let run = Run::over(&golden(Outcome::Conversion));
    for ((lift, published), arm) in CONVERSIONS.iter().zip(PUBLISHED_CONVERSIONS).zip([MENS, WOMENS]) {
        hold(&run, lift, published, &arm, arm.conversions, NONE.conversions);
        for (group, arm) in [("target", &arm), ("control", &NONE)] {
            let row = run.row("effect", &[("campaign_id", lift.campaign), ("arm", group)]);
            assert_eq!(row["revenue"], format!("{}.{:02}", arm.spend / 100, arm.spend % 100), "{row:?}");
            assert_eq!(whole(&row, "ordered"), arm.conversions as i64, "{row:?}");
            let reached = if group == "target" { arm.customers as i64 } else { 0 };
            assert_eq!((whole(&row, "contacted"), whole(&row, "delivered")), (reached, reached), "{row:?}");
        }
    }
}
