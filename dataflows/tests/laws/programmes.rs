//! Random programmes over all attributes.

use std::collections::BTreeMap;

use dataflows::care::{APPROACHES, Approach, Calendar, Care, Diagnosis, Due, Step};
use dataflows::goals::{BILLED, Goal, Quantity};
use dataflows::programme::{
    Debts, Drive, Expiry, Per, PointsRule, Programme, Rank, Segment, Sign, Terms, Tier, Trigger,
};
use dataflows::records::EventKind;
use dataflows::responses::RESPONSES;
use dataflows::rules::{Arithmetic, Attribute, Comparison, Expr, Number};
use dataflows::services::{HEALTHS, TRIALS};
use dataflows::stages::{STAGES, Stages};
use dataflows::types::Day;
use fastrand::Rng;

use crate::history::LISTS;

pub fn programme(rng: &mut Rng) -> Programme {
    let tiers = rng.usize(0..4);
    let default = rng.bool();
    let bare: Vec<Segment> = (0..3)
        .map(|place| Segment { id: format!("B{place}"), when: if rng.u8(0..3) == 0 { driven(rng) } else { bare(rng) } })
        .collect();
    let tier = |rng: &mut Rng, place: usize| Tier {
        id: format!("T{place}"),
        when: (place + 1 < tiers || !default).then(|| condition(rng, 3, Scope::Tier)),
    };
    Programme {
        window: rng.u32(1..5),
        lag: rng.u32(0..5),
        history: rng.u32(1..9),
        population: rng
            .bool()
            .then(|| if rng.u8(0..5) == 0 { driven(rng) } else { condition(rng, 2, Scope::Population) }),
        tiers: (0..tiers).map(|place| tier(rng, place)).collect(),
        segments: (0..rng.usize(0..5))
            .map(|place| Segment { id: format!("S{place}"), when: condition(rng, 3, Scope::Segment) })
            .chain(bare)
            .collect(),
        points: (rng.u8(0..5) != 0).then(|| (0..rng.usize(0..6)).map(|place| points_rule(rng, place)).collect()),
        debts: [Debts::AllowNegative, Debts::ClawBackNext, Debts::WriteOff][rng.usize(0..3)],
        ranks: (0..rng.usize(0..4)).map(|place| rank(rng, place)).collect(),
        stages: stages(rng),
        drives: drives(rng),
        active_measures: active_measures(rng),
        cares: cares(rng),
        calendar: calendar(rng),
        goals: goals(rng),
        // Campaigns are put in from a source of their own.
        ..Programme::default()
    }
}

/// Of what there is, and of nothing; some ask the same.
fn goals(rng: &mut Rng) -> Vec<Goal> {
    let quantity = |rng: &mut Rng| {
        let name = ["sms", "crbt", "nothing", BILLED][rng.usize(0..4)].to_owned();
        match rng.u8(0..8) {
            0 => Quantity::Customers,
            1 => Quantity::Sum(name),
            2 => Quantity::Holidays(name),
            3 => Quantity::AtLeast(name, rng.i64(1..60)),
            4 => Quantity::Held(name),
            5 => Quantity::HeldBefore(name, rng.u32(1..4)),
            6 => Quantity::Still(name, rng.u32(1..4)),
            _ => Quantity::Active(name),
        }
    };
    let goal = |rng: &mut Rng, place| Goal {
        id: format!("G{place}"),
        part: quantity(rng),
        whole: rng.bool().then(|| quantity(rng)),
    };
    (0..rng.usize(0..4)).map(|place| goal(rng, place)).collect()
}

/// Whom a campaign is for: mostly everybody, so that the rest decides.
pub fn audience(rng: &mut Rng) -> Expr {
    if rng.bool() { Expr::Boolean(true) } else { condition(rng, 2, Scope::Segment) }
}

/// Points for events only, which can be spent at once and do not expire.
pub fn plain_points(rng: &mut Rng) -> Programme {
    let rule = |rng: &mut Rng, place| {
        let rule = points_rule(rng, place);
        let on =
            if matches!(rule.on, Trigger::Use { .. }) { Trigger::Event(EventKind::Login) } else { rule.on.clone() };
        PointsRule { on, terms: Terms::default(), ..rule }
    };
    let points = Some((0..rng.usize(1..8)).map(|place| rule(rng, place)).collect());
    Programme { points, ranks: (0..rng.usize(0..4)).map(|place| rank(rng, place)).collect(), ..Programme::default() }
}

fn points_rule(rng: &mut Rng, place: usize) -> PointsRule {
    use EventKind::*;
    PointsRule {
        id: format!("P{place}"),
        on: if rng.u8(0..4) == 0 {
            let measure = ["sms", "crbt", "nothing"][rng.usize(0..3)].to_owned();
            Trigger::Use { measure, monthly_at_least: rng.i64(1..60) }
        } else {
            Trigger::Event([Register, Login, Login, Experience, Refer, Refer, Participate, Redeem][rng.usize(0..8)])
        },
        product: (rng.u8(0..4) == 0).then(|| ["sms", "crbt", "nothing"][rng.usize(0..3)].to_owned()),
        result: (rng.u8(0..4) == 0).then(|| rng.bool()),
        points: rng.i64(-2..9),
        per: [Per::Event, Per::Event, Per::Day, Per::Lifetime][rng.usize(0..4)],
        daily_cap: (rng.u8(0..3) == 0).then(|| rng.i64(0..12)),
        daily_limit: (rng.u8(0..3) == 0).then(|| rng.u32(0..3)),
        daily_people: (rng.u8(0..3) == 0).then(|| rng.u32(0..3)),
        terms: Terms {
            pending_days: [0, 0, 1, 30][rng.usize(0..4)],
            expiry: [Expiry::Never, Expiry::YearEnd, Expiry::Months(1), Expiry::Months(3)][rng.usize(0..4)],
        },
    }
}

/// Of days within which members come and go, as often as not.
fn stages(rng: &mut Rng) -> Stages {
    let day = |rng: &mut Rng| if rng.bool() { rng.u32(0..4) } else { rng.u32(0..200) };
    let silent_days = day(rng);
    Stages { new_days: day(rng), silent_days, lapsed_days: silent_days + day(rng) }
}

/// Some ask for others, which stand before them or behind.
fn drives(rng: &mut Rng) -> Vec<Drive> {
    let asked = |rng: &mut Rng, place: usize| {
        if place > 0 && rng.u8(0..3) == 0 {
            return Expr::Attribute(Attribute::Drive(format!("D{}", rng.usize(0..place))));
        }
        if rng.bool() { bare(rng) } else { condition(rng, 1, Scope::Segment) }
    };
    let drive = |rng: &mut Rng, place: usize| {
        let sign = |rng: &mut Rng, number| Sign { id: format!("N{number}"), when: asked(rng, place) };
        let signs: Vec<Sign> = (0..rng.usize(0..4)).map(|number| sign(rng, number)).collect();
        let at_least = rng.u8(0..=signs.len() as u8);
        Drive { id: format!("D{place}"), when: asked(rng, place), signs, at_least }
    };
    let mut drives: Vec<Drive> = (0..rng.usize(0..4)).map(|place| drive(rng, place)).collect();
    if rng.bool() {
        drives.reverse();
    }
    drives
}

/// Measures and products have the same names.
fn active_measures(rng: &mut Rng) -> BTreeMap<String, String> {
    let named = |rng: &mut Rng| ["sms", "crbt", "nothing"][rng.usize(0..3)].to_owned();
    (0..rng.usize(0..4)).map(|_| (named(rng), named(rng))).collect()
}

/// Of both products, or of one that nobody has.
fn cares(rng: &mut Rng) -> Vec<Care> {
    let diagnosis = |rng: &mut Rng, number| Diagnosis {
        reason: format!("because{number}"),
        when: if rng.bool() { bare(rng) } else { condition(rng, 1, Scope::Segment) },
    };
    let step = |rng: &mut Rng, approach| Step {
        approach,
        due: match rng.u8(0..8) {
            0..3 => Due::EveryWorkingDays([1, 2, 10, 30][rng.usize(0..4)]),
            3..5 => Due::Monthly { after_days: [0, 1, 21, 40][rng.usize(0..4)] },
            5 => Due::AfterFailed(Approach::Call),
            _ => Due::AfterUse,
        },
    };
    let mut products = ["sms", "crbt", "nothing"];
    rng.shuffle(&mut products);
    let care = |rng: &mut Rng, product: &str| {
        let mut steps = Vec::new();
        for (_, approach) in APPROACHES {
            if rng.u8(0..4) != 0 {
                steps.push(step(rng, approach));
            }
        }
        Care {
            product: product.to_owned(),
            used_by: ["sms", "crbt", "nothing"][rng.usize(0..3)].to_owned(),
            diagnose: (0..rng.usize(0..4)).map(|number| diagnosis(rng, number)).collect(),
            steps,
        }
    };
    products[..rng.usize(0..4)].iter().map(|product| care(rng, product)).collect()
}

/// Days off and days worked, some of them months long.
fn calendar(rng: &mut Rng) -> Calendar {
    let some = |rng: &mut Rng| {
        let first = Day::from_civil(2009, 1, 1).0 + rng.i32(0..500);
        (first..first + [0, 1, 3, 70][rng.usize(0..4)]).map(Day).collect::<std::collections::BTreeSet<Day>>()
    };
    let holidays = &some(rng) | &some(rng);
    Calendar { workdays: &some(rng) - &holidays, holidays }
}

/// Of bounds that are never equal, in any order.
fn rank(rng: &mut Rng, place: usize) -> Rank {
    Rank { id: format!("R{place}"), from: rng.i64(-4..12) * 5 + place as i64 }
}

/// The same with one part of it anew.
pub fn edited(rng: &mut Rng, last: &Programme) -> Programme {
    let (mut edited, other) = (last.clone(), programme(rng));
    match rng.u8(0..9) {
        8 => edited.goals = other.goals,
        7 => (edited.cares, edited.calendar) = (other.cares, other.calendar),
        6 => edited.stages = other.stages,
        5 => edited.drives = other.drives,
        4 => edited.active_measures = other.active_measures,
        0 => edited.ranks = other.ranks,
        1 => (edited.points, edited.debts) = (other.points, other.debts),
        2 => edited.population = other.population,
        _ => edited.segments = other.segments,
    }
    edited
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Tier,
    Population,
    Segment,
}

fn condition(rng: &mut Rng, depth: u32, scope: Scope) -> Expr {
    let inner = |rng: &mut Rng| condition(rng, depth - 1, scope);
    match if depth == 0 { rng.u8(0..6) } else { rng.u8(0..16) } {
        0 => Expr::Compare(comparison(rng), Box::new(number(rng, 0, scope)), Box::new(constant(rng))),
        1 => Expr::Compare(comparison(rng), Box::new(text(rng, scope)), Box::new(text_constant(rng))),
        2 => Expr::IsNull(Box::new(number(rng, 1, scope))),
        3 if scope != Scope::Tier => Expr::Attribute(match rng.u8(0..5) {
            3 => Attribute::Member,
            4 => Attribute::Consent(["sms", "crbt", "nothing"][rng.usize(0..3)].into()),
            0 => Attribute::Holds(["sms", "crbt", "nothing"][rng.usize(0..3)].into()),
            1 => Attribute::OnList(LISTS[rng.usize(0..LISTS.len())].into()),
            _ => Attribute::Terminal(["mms", "wap", "edge"][rng.usize(0..3)].into()),
        }),
        3 => Expr::Boolean(rng.bool()),
        5 => community(rng, scope),
        4 => Expr::In(Box::new(text(rng, scope)), (0..rng.u8(1..4)).map(|_| text_constant(rng)).collect()),
        15 => Expr::Not(Box::new(inner(rng))),
        6 | 7 => Expr::And((0..rng.u8(2..4)).map(|_| inner(rng)).collect()),
        8 | 9 => Expr::Or((0..rng.u8(2..4)).map(|_| inner(rng)).collect()),
        10 => Expr::AtLeast(rng.u32(0..3), (0..rng.u8(2..4)).map(|_| inner(rng)).collect()),
        11 => Expr::Compare(comparison(rng), Box::new(number(rng, 2, scope)), Box::new(number(rng, 2, scope))),
        12 => Expr::Like(Box::new(text(rng, scope)), ["%li%", "沈_", "%", "_"][rng.usize(0..4)].into()),
        _ => match rng.u8(0..3) {
            0 => Expr::Compare(comparison(rng), Box::new(text(rng, scope)), Box::new(text(rng, scope))),
            1 => Expr::Compare(
                [Comparison::Equal, Comparison::NotEqual][rng.usize(0..2)],
                Box::new(inner(rng)),
                Box::new(inner(rng)),
            ),
            _ => Expr::In(Box::new(number(rng, 0, scope)), vec![constant(rng), Expr::Null, constant(rng)]),
        },
    }
}

/// A drive that there may be. Drives themselves ask for others only where no circle comes of it.
fn driven(rng: &mut Rng) -> Expr {
    Expr::Attribute(Attribute::Drive(format!("D{}", rng.u8(0..3))))
}

/// One attribute as of now and nothing else, so that no other condition hides what it is.
fn bare(rng: &mut Rng) -> Expr {
    let name = ["sms", "crbt"][rng.usize(0..2)].to_owned();
    let is = |attribute: Attribute, texts: &[&str], rng: &mut Rng| {
        let text = Expr::Text(texts[rng.usize(0..texts.len())].to_owned());
        Expr::Compare(Comparison::Equal, Box::new(Expr::Attribute(attribute)), Box::new(text))
    };
    match rng.u8(0..10) {
        8 | 9 => is(Attribute::Response(["sms", "call"][rng.usize(0..2)].into()), &RESPONSES, rng),
        6 | 7 => is(Attribute::MemberStage, &STAGES, rng),
        0 => Expr::Attribute(Attribute::Consent(name)),
        1 => Expr::Attribute(Attribute::Holds(name)),
        2 => is(Attribute::Trial(name), &TRIALS, rng),
        3 => is(Attribute::Health(name), &HEALTHS, rng),
        4 => Expr::IsNull(Box::new(Expr::Attribute(Attribute::Health(name)))),
        _ => Expr::Compare(comparison(rng), Box::new(Expr::Attribute(Attribute::Score(name))), Box::new(constant(rng))),
    }
}

/// What is asked of members, about as many as they have.
fn community(rng: &mut Rng, scope: Scope) -> Expr {
    let number = |number: i64| Box::new(Expr::Number(Number::from_integer(number.into())));
    let kind = if scope == Scope::Tier { 0 } else { rng.u8(0..5) };
    match kind {
        0 | 1 => {
            let name = ["Dalian", "student"][rng.usize(0..2)].into();
            let participations = Expr::Attribute(Attribute::Participations(name));
            Expr::Compare(comparison(rng), Box::new(participations), number(rng.i64(0..3)))
        }
        2 => {
            let points = Box::new(Expr::Attribute(Attribute::Points));
            Expr::Compare(comparison(rng), points, number(rng.i64(-20..40)))
        }
        3 => bare(rng),
        _ => {
            let rank = Box::new(Expr::Attribute(Attribute::Rank));
            Expr::Compare(Comparison::Equal, rank, Box::new(Expr::Text(format!("R{}", rng.u8(0..3)))))
        }
    }
}

fn comparison(rng: &mut Rng) -> Comparison {
    use Comparison::*;
    [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual][rng.usize(0..6)]
}

fn number(rng: &mut Rng, depth: u32, scope: Scope) -> Expr {
    use Attribute::*;
    if depth > 0 && rng.u8(0..3) > 0 {
        let arithmetic = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide];
        let (left, right) = (Box::new(number(rng, depth - 1, scope)), Box::new(number(rng, depth - 1, scope)));
        return Expr::Arithmetic(arithmetic[rng.usize(0..4)], left, right);
    }
    match rng.u8(0..20) {
        0 => constant(rng),
        1 => Expr::Negate(Box::new(number(rng, 0, scope))),
        place => Expr::Attribute(match place {
            2 => Age,
            3 => TenureMonths,
            4 => DaysToBirthday,
            5 => AvgFee,
            6 => AvgDataKb,
            7 => AvgSmsFee,
            8 => LastFee,
            9 => ChangeFee,
            10 => ChangeRoamingFee,
            11 => ChangeData,
            19 => VasShare,
            12 | 13 => Usage("sms".into()),
            14 => UsageYear(["sms", "crbt", "nothing"][rng.usize(0..3)].into()),
            15 => Participations(["Dalian", "student", "nothing"][rng.usize(0..3)].into()),
            16 if scope != Scope::Tier => Points,
            18 if scope != Scope::Tier => Score(["sms", "crbt", "nothing"][rng.usize(0..3)].into()),
            _ => ChangeVasFee,
        }),
    }
}

fn constant(rng: &mut Rng) -> Expr {
    match rng.u8(0..12) {
        0 => Expr::Null,
        1 => Expr::Number(Number::new(rng.i64(-9..9).into(), 7.into())),
        2 => Expr::Number(Number::from_integer(0.into())),
        _ => Expr::Number(Number::new(rng.i64(-5_000..30_000).into(), 100.into())),
    }
}

fn text(rng: &mut Rng, scope: Scope) -> Expr {
    use Attribute::*;
    let last = match scope {
        Scope::Tier => 4,
        Scope::Population => 5,
        Scope::Segment => 6,
    };
    Expr::Attribute([Gender, City, Status, GroupType, Rank, Tier][rng.usize(0..last)].clone())
}

fn text_constant(rng: &mut Rng) -> Expr {
    Expr::Text(
        ["m", "f", "closed", "active", "Dalian", "沈阳", "student", "T0", "T1", "R0", "R1"][rng.usize(0..11)].into(),
    )
}
