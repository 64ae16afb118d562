//! Golden figures: `cohortflow run` over rows made to the counts of the field reports, and of a public experiment.

mod data;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use data::campaigns::{CONCERTS, Counts, STOP_LIFTS, STOPS, STORE, complained};
use data::email::{CONVERSIONS, Outcome, VISITS};
use data::penetration::{MONTHS, SERVICES};
use data::{Golden, Lift, campaigns, email, penetration};

/// A row of a view, by column.
type Row = BTreeMap<String, String>;

/// The views of a run.
struct Views(tempfile::TempDir);

impl Views {
    fn of(golden: &Golden) -> Views {
        let home = tempfile::tempdir().expect("a directory");
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(at("input")).expect("a directory");
        std::fs::write(at("programme.toml"), &golden.programme).expect("a programme");
        for (name, text) in &golden.files {
            std::fs::write(at("input").join(name), text).expect("a file");
        }
        let output = Command::new(env!("CARGO_BIN_EXE_cohortflow"))
            .args(["run", "--programme"])
            .arg(at("programme.toml"))
            .arg("--input")
            .arg(at("input"))
            .arg("--output")
            .arg(at("output"))
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Views(home)
    }

    fn rows(&self, view: &str) -> Vec<Row> {
        let path = self.0.path().join("output").join(format!("{view}.csv"));
        read(&path)
    }

    /// The only row with these values.
    fn row(&self, view: &str, of: &[(&str, &str)]) -> Row {
        let is_of = |row: &Row| of.iter().all(|(column, value)| row[*column] == *value);
        let mut found = self.rows(view).into_iter().filter(is_of);
        let row = found.next().unwrap_or_else(|| panic!("{view} has no row of {of:?}"));
        assert!(found.next().is_none(), "{view} has two rows of {of:?}");
        row
    }
}

fn read(path: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(path).expect("a view");
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row = |line: &str| columns.iter().map(|of| (*of).to_owned()).zip(line.split(',').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// Ten-thousandths.
fn rate(row: &Row, column: &str) -> i64 {
    let text = &row[column];
    let digits: i64 = text.replace(['.', '-'], "").parse().unwrap_or_else(|_| panic!("{column} is {text:?}"));
    if text.starts_with('-') { -digits } else { digits }
}

/// Thousandths, as the reports have them.
fn per_mille(row: &Row, column: &str) -> i64 {
    (rate(row, column) + 5) / 10
}

fn assert_counts(views: &Views, counts: &[Counts]) {
    for count in counts {
        let Counts { campaign, channel, arm, covered, succeeded, .. } = count;
        let effect = views.row("effect", &[("campaign_id", campaign), ("channel_id", channel), ("arm", arm)]);
        assert_eq!(effect["delivered"], covered.to_string(), "{campaign} {arm}");
        let rated = views.row("effect_rate", &[("campaign_id", campaign), ("arm", arm)]);
        let expected = |part: usize| ((part * 20_000 + covered) / (2 * covered)) as i64;
        assert_eq!(rate(&rated, "success_rate"), expected(*succeeded), "{campaign} {arm}");
        assert_eq!(rate(&rated, "complaint_rate"), expected(complained(count)), "{campaign} {arm}");
    }
}

fn assert_lifts(views: &Views, lifts: &[Lift]) {
    for lift in lifts {
        let row = views.row("effect_rate", &[("campaign_id", lift.campaign), ("arm", "target")]);
        let found = ["success_rate", "uplift", "uplift_low", "uplift_high"].map(|column| rate(&row, column));
        let expected = [lift.success_rate, lift.uplift, lift.uplift_low, lift.uplift_high];
        assert_eq!(found, expected, "{}", lift.campaign);
        // Whoever looks all the time knows less.
        let row = views.row("effect_uplift", &[("campaign_id", lift.campaign)]);
        assert!(rate(&row, "always_low") < lift.uplift_low && rate(&row, "always_high") > lift.uplift_high, "{row:?}");
    }
}

#[test]
fn the_four_concerts_succeeded_as_reported() {
    let views = Views::of(&campaigns::golden(&CONCERTS));
    assert_counts(&views, &CONCERTS);
    for (campaign, expected) in
        [("pop_concert_a", 238), ("wind_concerto", 173), ("zither_concert", 193), ("pop_concert_b", 254)]
    {
        let row = views.row("effect_rate", &[("campaign_id", campaign), ("arm", "target")]);
        assert_eq!(per_mille(&row, "success_rate"), expected, "{campaign}");
    }
}

#[test]
fn offers_at_the_stop_beat_the_random_group_as_reported() {
    let views = Views::of(&campaigns::golden(&STOPS));
    assert_counts(&views, &STOPS);
    assert_lifts(&views, &STOP_LIFTS);
}

#[test]
fn guidance_in_the_store_saved_what_the_formula_says() {
    let views = Views::of(&campaigns::golden(&STORE));
    assert_counts(&views, &STORE);
    let [now, before] = ["store_guidance", "store_before"]
        .map(|campaign| views.row("effect_rate", &[("campaign_id", campaign), ("arm", "target")]));
    assert_eq!(rate(&now, "success_rate"), 3_000);
    // 30% are 6.7 times 300 of 6,700: told in tenths.
    assert_eq!(
        (rate(&now, "success_rate") * 10 + rate(&before, "success_rate") / 2) / rate(&before, "success_rate"),
        67
    );
    // 36,600 won at 300 of 6,700 would have taken 817,400 customers, at 2 yuan each.
    assert_eq!(now["saving"], "1390800.0000");
}

#[test]
fn the_public_experiment_has_its_published_lifts() {
    assert_lifts(&Views::of(&email::golden(Outcome::Visit)), &VISITS);
    assert_lifts(&Views::of(&email::golden(Outcome::Conversion)), &CONVERSIONS);
}

#[test]
fn services_spread_as_the_reports_tables_say() {
    let views = Views::of(&penetration::golden());
    for service in &SERVICES {
        let kind = if service.is_active { "active" } else { "held" };
        let groups = [("student", service.students), ("office_worker", service.office_workers), ("", service.all)];
        for (segment, ends) in groups {
            for (month, users) in [(MONTHS[0], ends.july), (MONTHS[4], ends.november)] {
                let of = [("product_id", service.product), ("segment", segment), ("month", month), ("kind", kind)];
                let row = views.row("penetration", &of);
                assert_eq!(per_mille(&row, "rate"), users as i64, "{of:?}");
                if let Some(multiple) = ends.multiple.filter(|_| month == MONTHS[4]) {
                    let row = views.row("penetration_growth", &of);
                    assert_eq!(row["first_month"], MONTHS[0], "{of:?}");
                    // Told in tenths.
                    assert_eq!((rate(&row, "multiple") + 500) / 1_000, multiple as i64, "{of:?}");
                }
            }
        }
    }
}
