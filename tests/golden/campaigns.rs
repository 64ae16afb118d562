//! The concerts, the offers at the stop, guidance in the store.

use super::data::campaigns::{CONCERTS, Counts, STOP_LIFTS, STOPS, STORE, complained, golden};
use super::{Run, rate, rounded, whole};

/// Holds an arm against its counts, and gives its success rate in ten-thousandths.
#[track_caller]
fn hold(run: &Run, counts: &Counts) -> i64 {
    let Counts { campaign, channel, arm, covered, succeeded } = *counts;
    let effect = run.row("effect", &[("campaign_id", campaign), ("channel_id", channel), ("arm", arm)]);
    assert_eq!(whole(&effect, "delivered"), covered as i64, "{effect:?}");
    // Some contacts never arrived, and some orders came before any contact, or after one that failed.
    assert!(whole(&effect, "contacted") > covered as i64, "{effect:?}");
    let row = run.row("effect_rate", &[("campaign_id", campaign), ("arm", arm)]);
    assert_eq!(rate(&row, "success_rate"), rounded(succeeded, covered, 10_000), "{row:?}");
    assert_eq!(rate(&row, "complaint_rate"), rounded(complained(counts), covered, 10_000), "{row:?}");
    rate(&row, "success_rate")
}

fn target(run: &Run, campaign: &str, column: &str) -> String {
    run.row("effect_rate", &[("campaign_id", campaign), ("arm", "target")])[column].clone()
}

#[test]
fn concerts_bring_the_success_rates_of_the_reports() {
    let run = Run::over(&golden(&CONCERTS));
    // In tenths of a percent, as the table has them.
    for (counts, expected) in CONCERTS.iter().zip([238, 173, 193, 254]) {
        let rate = hold(&run, counts);
        assert_eq!(rounded(rate as usize, 10_000, 1_000), expected, "{}", counts.campaign);
        // Nobody was kept back, and there is no random arm.
        assert_eq!(target(&run, counts.campaign, "uplift"), "", "{}", counts.campaign);
    }
    assert_eq!(run.view("effect_uplift"), []);
    // What 4% would have taken, less what it took, at 0.1 yuan: (5,921 / 0.04 - 24,918) x 0.1, and so on.
    for (campaign, saving) in [
        ("pop_concert_a", "12310.7000"),
        ("wind_concerto", "590.0000"),
        ("zither_concert", "0.0000"),
        ("pop_concert_b", "3393.4000"),
    ] {
        assert_eq!(target(&run, campaign, "saving"), saving, "{campaign}");
    }
}

#[test]
fn offers_at_the_stop_beat_those_to_anybody() {
    let run = Run::over(&golden(&STOPS));
    // 13.2% against 3.4%, and 15.7% against 5.1%.
    for (counts, expected) in STOPS.iter().zip([1_320, 340, 1_570, 510]) {
        assert_eq!(hold(&run, counts), expected, "{} {}", counts.campaign, counts.arm);
    }
    for lift in STOP_LIFTS {
        let row = run.row("effect_rate", &[("campaign_id", lift.campaign), ("arm", "target")]);
        assert_eq!(rate(&row, "success_rate"), lift.success_rate, "{row:?}");
        let [uplift, low, high] = ["uplift", "uplift_low", "uplift_high"].map(|column| rate(&row, column));
        assert_eq!((uplift, low, high), (lift.uplift, lift.uplift_low, lift.uplift_high), "{row:?}");
        let row = run.row("effect_uplift", &[("campaign_id", lift.campaign)]);
        assert_eq!((&*row["compared_with"], whole(&row, "compared_reached")), ("random", 1_000), "{row:?}");
        // However often it is looked at, the target arm does better.
        assert!(0 < rate(&row, "always_low") && rate(&row, "always_low") < low, "{row:?}");
        assert!(high < rate(&row, "always_high"), "{row:?}");
    }
    // The random arm is the old way: (132 / 0.034 - 1,000) x 0.1 and (157 / 0.051 - 1,000) x 0.1.
    assert_eq!(target(&run, "stop_newspaper", "saving"), "288.2353");
    assert_eq!(target(&run, "stop_wap", "saving"), "207.8431");
}

#[test]
fn guidance_in_the_store_is_6_7_times_what_was_before() {
    let run = Run::over(&golden(&STORE));
    let [guided, before] = STORE.map(|counts| hold(&run, &counts));
    assert_eq!((STORE[0].covered, guided), (122_000, 3_000));
    // 0.3000 of 0.0448: in tenths.
    assert_eq!(rounded(guided as usize, before as usize, 10), 67);
    // (36,600 x 6,700 / 300 - 122,000) x 2 yuan.
    assert_eq!(target(&run, "store_guidance", "saving"), "1390800.0000");
    assert_eq!(target(&run, "store_before", "saving"), "");
}
