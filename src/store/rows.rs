//! Rows of a partition as columns on disk.
//!
//! Format 1. Columns stand in the order of the record's fields; see [`super::codec`] for how a
//! column is packed. A feed that gains a column gets a new format number, and both are read.

mod campaigns;
mod orders;

use dataflows::records::*;
use dataflows::types::{CustomerIx, Day, Month, SECONDS_PER_DAY, Time, Token, Word};

use super::codec::{Damaged, Reader, Writer};
use super::dictionary::Extent;

/// No date, no time: below every value that validation lets through.
const ABSENT: i64 = i64::MIN;

/// Writes the rows of a feed; the feed itself is told elsewhere.
pub fn write(rows: &Rows, writer: &mut Writer) {
    writer.u64(rows.len() as u64);
    match rows {
        Rows::Bill(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.month.0)));
            writer.column(rows.iter().map(|row| row.bill.total_fee));
            writer.column(rows.iter().map(|row| row.bill.roaming_fee));
            writer.column(rows.iter().map(|row| row.bill.sms_fee));
            writer.column(rows.iter().map(|row| row.bill.vas_fee));
            writer.column(rows.iter().map(|row| row.bill.data_kb));
        }
        Rows::Customer(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.fields.number.is_some())));
            rows.iter().flat_map(|row| row.fields.number).for_each(|token| writer.bytes.extend_from_slice(&token.0));
            writer.texts(rows.iter().map(|row| row.household_id.as_deref()));
            writer.optional_column(rows.iter().map(|row| row.fields.birth_date.map(|day| i64::from(day.0))), NO_DAY);
            writer.optional_column(rows.iter().map(|row| row.fields.joined_on.map(|day| i64::from(day.0))), NO_DAY);
            for text in CUSTOMER_TEXTS {
                writer.column(rows.iter().map(|row| i64::from(text(&row.fields).0)));
            }
        }
        Rows::Terminal(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.seen_on.0)));
            writer.texts(rows.iter().map(|row| row.imei.as_deref()));
            writer.texts(rows.iter().map(|row| row.model.as_deref()));
            writer.column(rows.iter().map(|row| i64::from(row.supports.0)));
        }
        Rows::Usage(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.day.0)));
            writer.column(rows.iter().map(|row| i64::from(row.measure.0)));
            writer.column(rows.iter().map(|row| row.quantity));
        }
        Rows::Product(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.product.0)));
            writer.texts(rows.iter().map(|row| row.name.as_deref()));
            writer.column(rows.iter().map(|row| i64::from(row.category.0)));
            writer.column(rows.iter().map(|row| i64::from(row.stage.0)));
            writer.optional_column(rows.iter().map(|row| row.monthly_price), ABSENT);
            writer.column(rows.iter().map(|row| i64::from(row.requires.0)));
            writer.optional_column(rows.iter().map(|row| row.value), ABSENT);
            writer.texts(rows.iter().map(|row| row.traits.as_deref()));
        }
        Rows::Channel(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.channel.0)));
            writer.texts(rows.iter().map(|row| row.name.as_deref()));
            writer.optional_column(rows.iter().map(|row| row.unit_cost), ABSENT);
            writer.optional_column(rows.iter().map(|row| row.daily_capacity), ABSENT);
            writer.texts(rows.iter().map(|row| row.traits.as_deref()));
        }
        Rows::Order(rows) => {
            writer.texts(rows.iter().map(|row| Some(&*row.order_id)));
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.product.0)));
            writer.column(rows.iter().map(|row| row.action as i64));
            writer.column(rows.iter().map(|row| i64::from(row.channel.0)));
            writer.column(rows.iter().map(|row| row.at.0));
            writer.column(rows.iter().map(|row| row.bundled.map_or(2, i64::from)));
        }
        Rows::MemberEvent(rows) => {
            writer.texts(rows.iter().map(|row| Some(&*row.event_id)));
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| row.event.kind as i64));
            writer.column(rows.iter().map(|row| row.at.0));
            writer.column(rows.iter().map(|row| i64::from(row.event.channel.0)));
            writer.column(rows.iter().map(|row| i64::from(row.event.product.0)));
            // One more than the number, so that 0 is nobody.
            writer.column(rows.iter().map(|row| row.event.other.map_or(0, |other| i64::from(other.0) + 1)));
            writer.column(rows.iter().map(|row| row.event.result.map_or(2, i64::from)));
            let asked = |row: &MemberEventRow| (row.event.points != 0).then_some(row.event.points);
            writer.optional_column(rows.iter().map(asked), ABSENT);
            writer.column(rows.iter().map(|row| i64::from(row.event.detail.0)));
        }
        Rows::Adjustment(rows) => {
            writer.texts(rows.iter().map(|row| Some(&*row.adjustment_id)));
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| row.points));
            writer.texts(rows.iter().map(|row| Some(&*row.reason)));
            writer.texts(rows.iter().map(|row| row.by.as_deref()));
            writer.column(rows.iter().map(|row| row.at.0));
        }
        Rows::Listing(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.list.0)));
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.optional_column(rows.iter().map(|row| row.from.map(|time| time.0)), ABSENT);
            writer.optional_column(rows.iter().map(|row| row.until.map(|time| time.0)), ABSENT);
            writer.texts(rows.iter().map(|row| row.reason.as_deref()));
        }
        Rows::Consent(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.purpose.0)));
            writer.column(rows.iter().map(|row| i64::from(row.channel.0)));
            writer.column(rows.iter().map(|row| row.at.0));
            writer.column(rows.iter().map(|row| i64::from(row.given)));
        }
        Rows::Score(rows) => {
            writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
            writer.column(rows.iter().map(|row| i64::from(row.model.0)));
            writer.column(rows.iter().map(|row| row.value));
            writer.optional_column(rows.iter().map(|row| row.at.map(|time| time.0)), ABSENT);
        }
        Rows::Contact(rows) => campaigns::write_contacts(rows, writer),
        Rows::Feedback(rows) => campaigns::write_feedback(rows, writer),
        Rows::CampaignState(rows) => campaigns::write_states(rows, writer),
        Rows::Handoff(rows) => campaigns::write_handoffs(rows, writer),
        Rows::OrderRequest(rows) => orders::write_requests(rows, writer),
        Rows::Provisioning(rows) => orders::write_provisioning(rows, writer),
    }
}

/// Reads the rows of a feed. Refuses what validation never lets through, names beyond `names`
/// included, so that nothing on the way to the views meets a number it cannot hold.
pub fn read(feed: Feed, names: Extent, reader: &mut Reader<'_>) -> Result<Rows, Damaged> {
    let count = usize::try_from(reader.u64()?).map_err(|_| Damaged("too many rows"))?;
    Ok(match feed {
        Feed::Bill => {
            let customer = reader.column_of(count)?;
            let month = reader.column_of(count)?;
            let [total_fee, roaming_fee, sms_fee, vas_fee, data_kb] = columns(reader, count)?;
            let row = |at: usize| {
                Ok(BillRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    month: Month(within(month[at], 0, MONTH_MAX)? as i32),
                    bill: Bill {
                        total_fee: within(total_fee[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                        roaming_fee: within(roaming_fee[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                        sms_fee: within(sms_fee[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                        vas_fee: within(vas_fee[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                        data_kb: within(data_kb[at], 0, COUNT_MAX)?,
                    },
                })
            };
            Rows::Bill((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Customer => {
            let customer = reader.column_of(count)?;
            let has_token = reader.column_of(count)?;
            let tokens = has_token
                .iter()
                .map(|has| if *has == 0 { Ok(None) } else { reader.bytes().map(|token| Some(Token(token))) });
            let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
            let household = reader.texts(count)?;
            let [birth, joined] = columns(reader, count)?;
            let [gender, city, district, status, brand, group_type, occupation, employer, income_band] =
                columns(reader, count)?;
            let row = |at: usize| {
                let day = |day: i64| if day == NO_DAY { Ok(None) } else { read_day(day).map(Some) };
                let word = |column: &[i64]| below(column[at], names.words).map(Word);
                Ok(CustomerRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    household_id: household[at].map(Box::from),
                    fields: Customer {
                        number: tokens[at],
                        birth_date: day(birth[at])?,
                        joined_on: day(joined[at])?,
                        gender: word(&gender)?,
                        city: word(&city)?,
                        district: word(&district)?,
                        status: word(&status)?,
                        brand: word(&brand)?,
                        group_type: word(&group_type)?,
                        occupation: word(&occupation)?,
                        employer: word(&employer)?,
                        income_band: word(&income_band)?,
                    },
                })
            };
            Rows::Customer((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Terminal => {
            let [customer, seen_on] = columns(reader, count)?;
            let (imei, model) = (reader.texts(count)?, reader.texts(count)?);
            let supports = reader.column_of(count)?;
            let row = |at: usize| {
                Ok(TerminalRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    seen_on: read_day(seen_on[at])?,
                    imei: imei[at].map(Box::from),
                    model: model[at].map(Box::from),
                    supports: Word(below(supports[at], names.words)?),
                })
            };
            Rows::Terminal((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Usage => {
            let [customer, day, measure, quantity] = columns(reader, count)?;
            let row = |at: usize| {
                Ok(UsageRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    day: read_day(day[at])?,
                    measure: Word(below(measure[at], names.words)?),
                    quantity: within(quantity[at], 0, COUNT_MAX)?,
                })
            };
            Rows::Usage((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Product => {
            let product = reader.column_of(count)?;
            let name = reader.texts(count)?;
            let [category, stage, monthly_price, requires, value] = columns(reader, count)?;
            let traits = reader.texts(count)?;
            let row = |at: usize| {
                Ok(ProductRow {
                    product: Word(below(product[at], names.words)?),
                    name: name[at].map(Box::from),
                    category: Word(below(category[at], names.words)?),
                    stage: Word(below(stage[at], names.words)?),
                    monthly_price: present(monthly_price[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                    requires: Word(below(requires[at], names.words)?),
                    value: present(value[at], 0, 10_000)?,
                    traits: traits[at].map(Box::from),
                })
            };
            Rows::Product((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Channel => {
            let channel = reader.column_of(count)?;
            let name = reader.texts(count)?;
            let [unit_cost, daily_capacity] = columns(reader, count)?;
            let traits = reader.texts(count)?;
            let row = |at: usize| {
                Ok(ChannelRow {
                    channel: Word(below(channel[at], names.words)?),
                    name: name[at].map(Box::from),
                    unit_cost: present(unit_cost[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                    daily_capacity: present(daily_capacity[at], 0, COUNT_MAX)?,
                    traits: traits[at].map(Box::from),
                })
            };
            Rows::Channel((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Order => {
            let order_id = reader.texts(count)?;
            let [customer, product, action, channel, at_second, bundled] = columns(reader, count)?;
            let row = |at: usize| {
                Ok(OrderRow {
                    order_id: order_id[at].ok_or(Damaged("an order has no id"))?.into(),
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    product: Word(below(product[at], names.words)?),
                    action: match action[at] {
                        0 => Action::Subscribe,
                        1 => Action::Cancel,
                        2 => Action::Trial,
                        _ => return Err(Damaged("an order does what no order does")),
                    },
                    channel: Word(below(channel[at], names.words)?),
                    at: Time(within(at_second[at], TIME_MIN, TIME_MAX)?),
                    bundled: read_flag(bundled[at]),
                })
            };
            Rows::Order((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::MemberEvent => {
            let event_id = reader.texts(count)?;
            let [customer, kind, at_second, channel, product, other, result, points, detail] = columns(reader, count)?;
            let row = |at: usize| {
                let kind = usize::try_from(kind[at]).ok().and_then(|kind| EventKind::ALL.get(kind));
                let word = |column: &[i64]| below(column[at], names.words).map(Word);
                Ok(MemberEventRow {
                    event_id: event_id[at]
                        .filter(|id| id.len() <= ID_BYTES_MAX)
                        .ok_or(Damaged("an event has no id, or none of that length"))?
                        .into(),
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    at: Time(within(at_second[at], TIME_MIN, TIME_MAX)?),
                    event: Event {
                        kind: kind.ok_or(Damaged("an event is of no kind"))?.0,
                        product: word(&product)?,
                        other: match other[at] {
                            0 => None,
                            other => Some(CustomerIx(below(other.saturating_sub(1), names.customers)?)),
                        },
                        result: read_flag(result[at]),
                        detail: word(&detail)?,
                        points: present(points[at], -POINTS_MAX, POINTS_MAX)?.unwrap_or(0),
                        channel: word(&channel)?,
                    },
                })
            };
            Rows::MemberEvent((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Adjustment => {
            let adjustment_id = reader.texts(count)?;
            let [customer, points] = columns(reader, count)?;
            let (reason, by) = (reader.texts(count)?, reader.texts(count)?);
            let at_second = reader.column_of(count)?;
            let row = |at: usize| {
                Ok(AdjustmentRow {
                    adjustment_id: adjustment_id[at].ok_or(Damaged("an adjustment has no id"))?.into(),
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    points: within(points[at], -POINTS_MAX, POINTS_MAX)?,
                    reason: reason[at].ok_or(Damaged("an adjustment has no reason"))?.into(),
                    by: by[at].map(Box::from),
                    at: Time(within(at_second[at], TIME_MIN, TIME_MAX)?),
                })
            };
            Rows::Adjustment((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Listing => {
            let [list, customer, from, until] = columns(reader, count)?;
            let reason = reader.texts(count)?;
            let row = |at: usize| {
                Ok(ListingRow {
                    list: Word(below(list[at], names.words)?),
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    from: present(from[at], TIME_MIN, TIME_MAX)?.map(Time),
                    until: present(until[at], TIME_MIN, TIME_MAX)?.map(Time),
                    reason: reason[at].map(Box::from),
                })
            };
            Rows::Listing((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Consent => {
            let [customer, purpose, channel, at_second, given] = columns(reader, count)?;
            let row = |at: usize| {
                Ok(ConsentRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    purpose: Word(below(purpose[at], names.words)?),
                    channel: Word(below(channel[at], names.words)?),
                    at: Time(within(at_second[at], TIME_MIN, TIME_MAX)?),
                    given: read_flag(given[at]).ok_or(Damaged("a consent is neither given nor refused"))?,
                })
            };
            Rows::Consent((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Score => {
            let [customer, model, value, at_second] = columns(reader, count)?;
            let row = |at: usize| {
                Ok(ScoreRow {
                    customer: CustomerIx(below(customer[at], names.customers)?),
                    model: Word(below(model[at], names.words)?),
                    value: within(value[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                    at: present(at_second[at], TIME_MIN, TIME_MAX)?.map(Time),
                })
            };
            Rows::Score((0..count).map(row).collect::<Result<_, _>>()?)
        }
        Feed::Contact => Rows::Contact(campaigns::read_contacts(count, names, reader)?),
        Feed::Feedback => Rows::Feedback(campaigns::read_feedback(count, names, reader)?),
        Feed::CampaignState => Rows::CampaignState(campaigns::read_states(count, names, reader)?),
        Feed::Handoff => Rows::Handoff(campaigns::read_handoffs(count, names, reader)?),
        Feed::OrderRequest => Rows::OrderRequest(orders::read_requests(count, names, reader)?),
        Feed::Provisioning => Rows::Provisioning(orders::read_provisioning(count, reader)?),
    })
}

/// No day: packs beside real ones in three bytes.
const NO_DAY: i64 = -4_000_000;

type Text = fn(&Customer) -> Word;
const CUSTOMER_TEXTS: [Text; 9] = [
    |fields| fields.gender,
    |fields| fields.city,
    |fields| fields.district,
    |fields| fields.status,
    |fields| fields.brand,
    |fields| fields.group_type,
    |fields| fields.occupation,
    |fields| fields.employer,
    |fields| fields.income_band,
];

pub(super) fn columns<const N: usize>(reader: &mut Reader<'_>, count: usize) -> Result<[Vec<i64>; N], Damaged> {
    let mut columns = std::array::from_fn(|_| Vec::new());
    for column in &mut columns {
        *column = reader.column_of(count)?;
    }
    Ok(columns)
}

/// December of the year 9999.
pub(super) const MONTH_MAX: i64 = 9_999 * 12 + 11;
/// The first and the last day that a file can name: 0000-01-01 and 9999-12-31.
const DAY_MIN: i64 = -719_528;
const DAY_MAX: i64 = 2_932_896;
/// Seconds that a file can name, with room for a time zone and for 24:00:00.
pub(super) const TIME_MIN: i64 = (DAY_MIN - 3) * SECONDS_PER_DAY;
pub(super) const TIME_MAX: i64 = (DAY_MAX + 3) * SECONDS_PER_DAY;

pub(super) fn within(value: i64, least: i64, most: i64) -> Result<i64, Damaged> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(Damaged("a number is out of range")) }
}

pub(super) fn below(value: i64, names: usize) -> Result<u32, Damaged> {
    let number = u32::try_from(value).ok().filter(|number| (*number as usize) < names);
    number.ok_or(Damaged("a name is not in the dictionary"))
}

fn read_flag(value: i64) -> Option<bool> {
    [Some(false), Some(true)].get(usize::try_from(value).ok()?).copied().flatten()
}

pub(super) fn read_day(value: i64) -> Result<Day, Damaged> {
    Ok(Day(within(value, DAY_MIN, DAY_MAX)? as i32))
}

fn present(value: i64, least: i64, most: i64) -> Result<Option<i64>, Damaged> {
    if value == ABSENT { Ok(None) } else { within(value, least, most).map(Some) }
}
