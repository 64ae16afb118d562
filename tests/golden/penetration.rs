//! The tables of penetration, with their multiples.

use super::data::penetration::{ALL, Ends, MONTHS, OFFICE_WORKERS, SERVICES, STUDENTS, golden};
use super::{Run, rate, rounded, whole};

#[test]
fn penetration_rises_as_the_tables_say() {
    let run = Run::over(&golden());
    let mut given = 0;
    for service in &SERVICES {
        let kind = if service.is_active { "active" } else { "held" };
        let rows = [
            ("student", service.students, STUDENTS),
            ("office_worker", service.office_workers, OFFICE_WORKERS),
            ("", service.all, ALL),
        ];
        for (segment, ends, customers) in rows {
            let key = |month| [("product_id", service.product), ("segment", segment), ("month", month), ("kind", kind)];
            for (place, month) in MONTHS.into_iter().enumerate() {
                let row = run.row("penetration", &key(month));
                assert_eq!(whole(&row, "users"), ends.users(place, customers) as i64, "{row:?}");
                assert_eq!(whole(&row, "customers"), customers as i64, "{row:?}");
            }
            hold(&run, ends, &key(MONTHS[0]), &key(MONTHS[4]));
            given += usize::from(ends.is_given);
        }
    }
    // Fetion and mail for both segments and all, ringback and newspaper for one segment and all.
    assert_eq!(given, 10);
}

/// July and November to a tenth of a percent, and the multiple to a tenth.
#[track_caller]
fn hold(run: &Run, ends: Ends, july: &[(&str, &str)], november: &[(&str, &str)]) {
    let tenths = |key: &[(&str, &str)], view, column| {
        let row = run.row(view, key);
        (rounded(rate(&row, column) as usize, 10_000, 1_000), row)
    };
    let (at_first, row) = tenths(july, "penetration", "rate");
    assert_eq!(at_first, ends.july as i64, "{row:?}");
    let (at_last, row) = tenths(november, "penetration", "rate");
    assert_eq!(at_last, ends.november as i64, "{row:?}");
    let growth = run.row("penetration_growth", november);
    assert_eq!(growth["first_month"], MONTHS[0], "{growth:?}");
    let times = rounded(rate(&growth, "multiple") as usize, 10_000, 10);
    if let Some(multiple) = ends.multiple {
        assert_eq!(times, multiple as i64, "{growth:?}");
    }
    let (at_first, row) = tenths(november, "penetration_growth", "first_rate");
    assert_eq!(at_first, ends.july as i64, "{row:?}");
}
