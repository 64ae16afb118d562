//! What is written is read back, for random rows of every feed; what is changed is never a panic.

use dataflows::records::*;
use dataflows::types::{CustomerIx, Day, Month, Time, Token, Word};
use fastrand::Rng;

use super::codec::{Reader, Writer};
use super::{Extent, rows};

const NAMES: Extent = Extent { customers: 1 << 20, words: 300 };

fn amount(rng: &mut Rng) -> i64 {
    [0, AMOUNT_MAX, -AMOUNT_MAX, rng.i64(-20_000..20_000)][rng.usize(0..4)]
}

fn count(rng: &mut Rng) -> i64 {
    [0, COUNT_MAX, rng.i64(0..5_000)][rng.usize(0..3)]
}

fn points(rng: &mut Rng) -> i64 {
    rng.i64(-POINTS_MAX..=POINTS_MAX)
}

fn customer(rng: &mut Rng) -> CustomerIx {
    CustomerIx(rng.u32(0..NAMES.customers as u32))
}

fn word(rng: &mut Rng) -> Word {
    Word(rng.u32(0..NAMES.words as u32))
}

fn day(rng: &mut Rng) -> Day {
    Day([-719_528, 2_932_896, rng.i32(10_000..20_000)][rng.usize(0..3)])
}

fn text(rng: &mut Rng) -> Box<str> {
    let parts = ["", "a", "沈阳", ";", "\"quoted\"", "CFrm"];
    (0..rng.usize(0..4)).map(|_| parts[rng.usize(0..parts.len())]).collect::<String>().into()
}

fn maybe<T>(rng: &mut Rng, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| value(rng))
}

fn time(rng: &mut Rng) -> Time {
    Time(rng.i64(-62_167_219_200..253_402_300_800))
}

fn one<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(0..values.len())]
}

fn random(feed: Feed, rng: &mut Rng) -> Rows {
    let len = [0, 1, 2, 70][rng.usize(0..4)];
    macro_rules! rows {
        ($feed:ident, $row:expr) => {
            Rows::$feed((0..len).map(|_| $row).collect())
        };
    }
    match feed {
        Feed::Customer => rows!(
            Customer,
            CustomerRow {
                customer: customer(rng),
                household_id: maybe(rng, text),
                fields: Customer {
                    number: maybe(rng, |rng| Token(rng.u128(..).to_le_bytes())),
                    birth_date: maybe(rng, day),
                    joined_on: maybe(rng, day),
                    gender: word(rng),
                    city: word(rng),
                    district: word(rng),
                    status: word(rng),
                    brand: word(rng),
                    group_type: word(rng),
                    occupation: word(rng),
                    employer: word(rng),
                    income_band: word(rng),
                },
            }
        ),
        Feed::Terminal => rows!(
            Terminal,
            TerminalRow {
                customer: customer(rng),
                seen_on: day(rng),
                imei: maybe(rng, text),
                model: maybe(rng, text),
                supports: word(rng),
            }
        ),
        Feed::Bill => rows!(
            Bill,
            BillRow {
                customer: customer(rng),
                month: Month(rng.i32(0..119_999)),
                bill: Bill {
                    total_fee: amount(rng),
                    roaming_fee: amount(rng),
                    sms_fee: amount(rng),
                    vas_fee: amount(rng),
                    data_kb: count(rng),
                },
            }
        ),
        Feed::Usage => {
            rows!(Usage, UsageRow { customer: customer(rng), day: day(rng), measure: word(rng), quantity: count(rng) })
        }
        Feed::Product => rows!(
            Product,
            ProductRow {
                product: word(rng),
                name: maybe(rng, text),
                category: word(rng),
                stage: word(rng),
                monthly_price: maybe(rng, amount),
                requires: word(rng),
                value: maybe(rng, |rng| rng.i64(0..=10_000)),
                traits: maybe(rng, text),
            }
        ),
        Feed::Channel => rows!(
            Channel,
            ChannelRow {
                channel: word(rng),
                name: maybe(rng, text),
                unit_cost: maybe(rng, amount),
                daily_capacity: maybe(rng, count),
                traits: maybe(rng, text),
            }
        ),
        Feed::Order => rows!(
            Order,
            OrderRow {
                order_id: text(rng),
                customer: customer(rng),
                product: word(rng),
                action: [Action::Subscribe, Action::Cancel, Action::Trial][rng.usize(0..3)],
                channel: word(rng),
                at: time(rng),
                bundled: maybe(rng, Rng::bool),
            }
        ),
        Feed::MemberEvent => rows!(
            MemberEvent,
            MemberEventRow {
                event_id: text(rng),
                customer: customer(rng),
                at: time(rng),
                event: Event {
                    kind: EventKind::ALL[rng.usize(0..EventKind::ALL.len())].0,
                    product: word(rng),
                    other: maybe(rng, customer),
                    result: maybe(rng, Rng::bool),
                    detail: word(rng),
                    points: points(rng),
                    channel: word(rng),
                },
            }
        ),
        Feed::Adjustment => rows!(
            Adjustment,
            AdjustmentRow {
                adjustment_id: text(rng),
                customer: customer(rng),
                points: points(rng),
                reason: text(rng),
                by: maybe(rng, text),
                at: time(rng),
            }
        ),
        Feed::Listing => rows!(
            Listing,
            ListingRow {
                list: word(rng),
                customer: customer(rng),
                from: maybe(rng, time),
                until: maybe(rng, time),
                reason: maybe(rng, text),
            }
        ),
        Feed::Consent => rows!(
            Consent,
            ConsentRow {
                customer: customer(rng),
                purpose: word(rng),
                channel: word(rng),
                at: time(rng),
                given: rng.bool(),
            }
        ),
        Feed::Score => rows!(
            Score,
            ScoreRow { customer: customer(rng), model: word(rng), value: amount(rng), at: maybe(rng, time) }
        ),
        Feed::Contact => rows!(
            Contact,
            ContactRow {
                contact_id: text(rng),
                customer: customer(rng),
                at: time(rng),
                contact: Contact {
                    campaign: word(rng),
                    channel: word(rng),
                    outcome: one(rng, &Outcome::ALL),
                    arm: one(rng, &Arm::ALL),
                },
            }
        ),
        Feed::Feedback => rows!(
            Feedback,
            FeedbackRow {
                feedback_id: text(rng),
                customer: customer(rng),
                at: time(rng),
                feedback: Feedback {
                    campaign: word(rng),
                    kind: one(rng, &FeedbackKind::ALL),
                    channel: word(rng),
                    product: word(rng),
                    amount: maybe(rng, amount),
                    value: maybe(rng, amount),
                    reason: word(rng),
                },
            }
        ),
        Feed::CampaignState => rows!(
            CampaignState,
            CampaignStateRow {
                change_id: text(rng),
                campaign: word(rng),
                state: one(rng, &State::ALL).0,
                city: word(rng),
                at: time(rng),
                by: text(rng),
                note: maybe(rng, text),
            }
        ),
        Feed::Handoff => rows!(
            Handoff,
            HandoffRow {
                contact_id: HandoffRow::id(rng.u128(..).to_le_bytes()),
                customer: customer(rng),
                at: time(rng),
                handoff: Handoff {
                    campaign: word(rng),
                    step: rng.u8(..),
                    channel: word(rng),
                    arm: one(rng, &Arm::ALL),
                    cost: amount(rng),
                },
            }
        ),
        Feed::OrderRequest => rows!(
            OrderRequest,
            OrderRequestRow {
                request_id: HandoffRow::id(rng.u128(..).to_le_bytes()),
                state: one(rng, &RequestState::ALL),
                customer: customer(rng),
                product: word(rng),
                campaign: word(rng),
                channel: word(rng),
                at: time(rng),
                code: maybe(rng, text),
                text: maybe(rng, text),
                by: maybe(rng, text),
            }
        ),
        Feed::Provisioning => rows!(
            Provisioning,
            ProvisioningRow {
                request_id: HandoffRow::id(rng.u128(..).to_le_bytes()),
                state: one(rng, &RequestState::ALL),
                code: maybe(rng, text),
                text: maybe(rng, text),
                at: time(rng),
            }
        ),
    }
}

fn written(rows: &Rows) -> Vec<u8> {
    let mut writer = Writer::default();
    rows::write(rows, &mut writer);
    writer.bytes
}

#[test]
fn rows_of_every_feed_come_back() {
    let mut rng = Rng::with_seed(3);
    for feed in Feed::ALL {
        for _ in 0..300 {
            let rows = random(feed, &mut rng);
            let bytes = written(&rows);
            let mut reader = Reader::new(&bytes);
            assert_eq!(rows::read(feed, NAMES, &mut reader), Ok(rows));
            assert!(reader.is_at_end(), "{feed:?}");
        }
    }
}

#[test]
fn rows_cut_short_are_refused_and_changed_ones_never_panic() {
    let mut rng = Rng::with_seed(4);
    for feed in Feed::ALL {
        for _ in 0..300 {
            let mut bytes = written(&random(feed, &mut rng));
            let len = rng.usize(0..bytes.len());
            assert!(rows::read(feed, NAMES, &mut Reader::new(&bytes[..len])).is_err(), "{feed:?}");
            for _ in 0..rng.usize(1..4) {
                let at = rng.usize(0..bytes.len());
                bytes[at] = rng.u8(..);
            }
            let _ = rows::read(feed, NAMES, &mut Reader::new(&bytes));
            let noise: Vec<u8> = (0..rng.usize(0..99)).map(|_| rng.u8(..) & rng.u8(..)).collect();
            let _ = rows::read(feed, NAMES, &mut Reader::new(&noise));
        }
    }
}

#[test]
fn hand_offs_without_an_id_that_was_made_here_are_refused() {
    let handoff = Handoff { campaign: Word(1), step: 0, channel: Word(2), arm: Arm::Target, cost: 5 };
    let row = |id: &str| HandoffRow { contact_id: id.into(), customer: CustomerIx(0), at: Time(0), handoff };
    let read = |id: &str| {
        let bytes = written(&Rows::Handoff(vec![row(id)]));
        rows::read(Feed::Handoff, NAMES, &mut Reader::new(&bytes))
    };
    let id = "00f0e1d2c3b4a5968778695a4b3c2d1e";
    assert_eq!(read(id), Ok(Rows::Handoff(vec![row(id)])));
    for id in ["", "k1", &id.to_uppercase(), &id[1..]] {
        assert!(read(id).is_err(), "{id}");
    }
}

#[test]
fn names_that_no_dictionary_holds_are_refused() {
    let row = UsageRow { customer: CustomerIx(9), day: Day(0), measure: Word(9), quantity: 1 };
    let bytes = written(&Rows::Usage(vec![row]));
    let read = |customers, words| rows::read(Feed::Usage, Extent { customers, words }, &mut Reader::new(&bytes));
    assert!(read(10, 10).is_ok());
    assert!(read(9, 10).is_err());
    assert!(read(10, 9).is_err());
}
