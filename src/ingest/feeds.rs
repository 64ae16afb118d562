//! From a row to a record, feed by feed.
//!
//! A row's values are all read before any of its texts is interned, so that rows that cannot be taken
//! leave nothing in the dictionaries.
//!
//! Decided here, where the contract is silent:
//! - A phone number that is none does not make a row bad: the customer is taken without one, and a
//!   warning counts how many.
//! - Terminals and usage may not lie in the future any more than orders may; days of birth and joining,
//!   and the bounds of listings, may.
//! - A row of `customer` with the number of somebody who was erased is his, under whatever id.
//! - The other side of an event is a customer, whether or not another feed ever names him.
//! - A listing that ends before it begins is taken: it never holds.
//! - The number of a device is personal as that of a line is: a token is kept of it, by which two are told apart.
//! - What somebody wrote about a customer (reasons, notes) is kept without the phone numbers in it.
//! - Scores may be negative, and are bounded as money is.

use std::hash::Hash;

use dataflows::records::{
    AdjustmentRow, Bill, BillRow, CATEGORIES, ChannelRow, ConsentRow, Customer, CustomerRow, Event, ListingRow,
    MemberEventRow, OrderRow, ProductRow, Rows, ScoreRow, TerminalRow, UsageRow,
};
use dataflows::types::{CustomerIx, Day, Month, Time, Word};

use super::extract::{Intern, Named, Settings};
use super::fields;
use super::reason::{Bad, Reason};
use super::row::{Cell, Row, boxed};

/// What reading a row needs beside the row.
pub(super) struct Context<'a, I: ?Sized> {
    pub(super) intern: &'a mut I,
    pub(super) settings: &'a Settings,
    /// The file's period where that is a month, as it is of every bill file.
    pub(super) period: Option<Month>,
    /// Whether that month begins more than a day after wall time: then so does every bill of the file.
    pub(super) period_is_future: bool,
    /// Phone numbers that are none.
    pub(super) phones_bad: u64,
}

/// A row of a feed.
pub(super) trait Record: Sized {
    /// The last column of its key.
    const KEY: &'static str;
    /// The key, where it is not one dense number.
    type Key<'a>: Hash + Eq
    where
        Self: 'a;

    /// Reads it from a row's cells.
    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<Self, Bad>;
    /// Its key.
    fn key(&self) -> Self::Key<'_>;
    /// Its key, where that is one dense number.
    fn dense_key(&self) -> Option<u32> {
        None
    }
    /// The rows of a file.
    fn rows(rows: Vec<Self>) -> Rows;
}

impl<'a, I: Intern + ?Sized> Context<'a, I> {
    pub(super) fn new(intern: &'a mut I, settings: &'a Settings, period: Option<Month>) -> Context<'a, I> {
        let is_future = |month: Month| fields::is_future(month.first_day().start(), settings.wall);
        Context { intern, settings, period, period_is_future: period.is_some_and(is_future), phones_bad: 0 }
    }

    pub(super) fn customer(&mut self, id: &str) -> CustomerIx {
        self.intern.customer(id)
    }

    pub(super) fn word(&mut self, text: &str) -> Word {
        if text.is_empty() { Word::NULL } else { self.intern.word(text) }
    }

    pub(super) fn time_not_future(&self, cell: Cell<'_>) -> Result<Time, Bad> {
        self.time_not_future_if_any(cell)?.ok_or(cell.bad(Reason::Missing))
    }

    fn time_not_future_if_any(&self, cell: Cell<'_>) -> Result<Option<Time>, Bad> {
        let time = cell.optional(|text| fields::time(text, &self.settings.timezone))?;
        let is_future = time.is_some_and(|time| fields::is_future(time, self.settings.wall));
        if is_future { Err(cell.bad(Reason::Future)) } else { Ok(time) }
    }

    /// The month of a bill, which is its file's.
    pub(super) fn billed(&self, cell: Cell<'_>) -> Result<Month, Bad> {
        let month = cell.required(fields::month)?;
        if self.period != Some(month) {
            return Err(cell.bad(Reason::OtherPeriod));
        }
        if self.period_is_future { Err(cell.bad(Reason::Future)) } else { Ok(month) }
    }

    pub(super) fn day_not_future(&self, cell: Cell<'_>) -> Result<Day, Bad> {
        let day = cell.required(fields::day)?;
        if fields::is_future(day.start(), self.settings.wall) { Err(cell.bad(Reason::Future)) } else { Ok(day) }
    }
}

impl Record for CustomerRow {
    const KEY: &'static str = "customer_id";
    type Key<'a> = CustomerIx;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<CustomerRow, Bad> {
        let [
            customer,
            msisdn,
            birth_date,
            gender,
            city,
            district,
            joined_on,
            status,
            brand,
            group_type,
            occupation,
            employer,
            household_id,
            income_band,
        ] = row.cells();
        let id = customer.id()?;
        let number = msisdn;
        let msisdn = msisdn.text()?;
        let birth_date = birth_date.optional(fields::day)?;
        let joined_on = joined_on.optional(fields::day)?;
        let gender = gender.optional(|text| fields::one_of(text, &["f", "m"]))?.unwrap_or_default();
        let status =
            status.optional(|text| fields::one_of(text, &["active", "suspended", "closed"]))?.unwrap_or_default();
        let (city, district, brand) = (city.text()?, district.text()?, brand.text()?);
        let (group_type, occupation) = (group_type.text()?, occupation.text()?);
        let (employer, income_band) = (employer.text()?, income_band.text()?);
        let household_id = boxed(household_id.optional_id()?);

        let phone = fields::phone(msisdn);
        let token = phone.map(|phone| context.intern.token(&phone));
        if token.is_some_and(|token| context.intern.is_erased(Named::Number(token))) {
            return Err(number.bad(Reason::Erased));
        }
        context.phones_bad += u64::from(token.is_none() && !msisdn.is_empty());
        Ok(CustomerRow {
            customer: context.customer(id),
            household_id,
            fields: Customer {
                number: token,
                birth_date,
                joined_on,
                gender: context.word(gender),
                city: context.word(city),
                district: context.word(district),
                status: context.word(status),
                brand: context.word(brand),
                group_type: context.word(group_type),
                occupation: context.word(occupation),
                employer: context.word(employer),
                income_band: context.word(income_band),
            },
        })
    }

    fn key(&self) -> CustomerIx {
        self.customer
    }

    fn dense_key(&self) -> Option<u32> {
        Some(self.customer.0)
    }

    fn rows(rows: Vec<CustomerRow>) -> Rows {
        Rows::Customer(rows)
    }
}

impl Record for TerminalRow {
    const KEY: &'static str = "seen_on";
    type Key<'a> = (CustomerIx, Day);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<TerminalRow, Bad> {
        let [customer, seen_on, imei, model, supports] = row.cells();
        let id = customer.id()?;
        let seen_on = context.day_not_future(seen_on)?;
        let imei = imei.optional_id()?;
        let model = boxed(model.text()?);
        supports.text()?;
        let supports = supports.optional(fields::capabilities)?.unwrap_or_default();
        let imei = (!imei.is_empty()).then(|| hex::encode(context.intern.token(imei).0).into());
        Ok(TerminalRow { customer: context.customer(id), seen_on, imei, model, supports: context.word(&supports) })
    }

    fn key(&self) -> (CustomerIx, Day) {
        (self.customer, self.seen_on)
    }

    fn rows(rows: Vec<TerminalRow>) -> Rows {
        Rows::Terminal(rows)
    }
}

impl Record for BillRow {
    const KEY: &'static str = "month";
    type Key<'a> = CustomerIx;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<BillRow, Bad> {
        let [customer, month_cell, total_fee, roaming_fee, sms_fee, vas_fee, data_kb] = row.cells();
        let id = customer.id()?;
        let month = context.billed(month_cell)?;
        let bill = Bill {
            total_fee: total_fee.required(fields::money)?,
            roaming_fee: roaming_fee.optional(fields::money)?.unwrap_or_default(),
            sms_fee: sms_fee.optional(fields::money)?.unwrap_or_default(),
            vas_fee: vas_fee.optional(fields::money)?.unwrap_or_default(),
            data_kb: data_kb.optional(fields::count)?.unwrap_or_default(),
        };
        Ok(BillRow { customer: context.customer(id), month, bill })
    }

    // The month is the file's, for every row.
    fn key(&self) -> CustomerIx {
        self.customer
    }

    fn dense_key(&self) -> Option<u32> {
        Some(self.customer.0)
    }

    fn rows(rows: Vec<BillRow>) -> Rows {
        Rows::Bill(rows)
    }
}

impl Record for UsageRow {
    const KEY: &'static str = "measure";
    type Key<'a> = (CustomerIx, Day, Word);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<UsageRow, Bad> {
        let [customer, day, measure, quantity] = row.cells();
        let (id, measure) = (customer.id()?, measure.id()?);
        let day = context.day_not_future(day)?;
        let quantity = quantity.required(fields::count)?;
        Ok(UsageRow { customer: context.customer(id), day, measure: context.word(measure), quantity })
    }

    fn key(&self) -> (CustomerIx, Day, Word) {
        (self.customer, self.day, self.measure)
    }

    fn rows(rows: Vec<UsageRow>) -> Rows {
        Rows::Usage(rows)
    }
}

impl Record for ProductRow {
    const KEY: &'static str = "product_id";
    type Key<'a> = Word;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ProductRow, Bad> {
        const STAGES: [&str; 3] = ["mature", "growing", "incubating"];
        let [product, name, category, stage, monthly_price, requires, value, traits] = row.cells();
        let id = product.id()?;
        let (name, traits) = (boxed(name.text()?), boxed(traits.text()?));
        let category = category.optional(|text| fields::one_of(text, &CATEGORIES))?.unwrap_or_default();
        let stage = stage.optional(|text| fields::one_of(text, &STAGES))?.unwrap_or_default();
        let monthly_price = monthly_price.optional(fields::money)?;
        requires.text()?;
        let requires = requires.optional(fields::capabilities)?.unwrap_or_default();
        let value = value.optional(fields::value)?;
        Ok(ProductRow {
            product: context.word(id),
            name,
            category: context.word(category),
            stage: context.word(stage),
            monthly_price,
            requires: context.word(&requires),
            value,
            traits,
        })
    }

    fn key(&self) -> Word {
        self.product
    }

    fn dense_key(&self) -> Option<u32> {
        Some(self.product.0)
    }

    fn rows(rows: Vec<ProductRow>) -> Rows {
        Rows::Product(rows)
    }
}

impl Record for ChannelRow {
    const KEY: &'static str = "channel_id";
    type Key<'a> = Word;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ChannelRow, Bad> {
        let [channel, name, unit_cost, daily_capacity, traits] = row.cells();
        let id = channel.id()?;
        let (name, traits) = (boxed(name.text()?), boxed(traits.text()?));
        let unit_cost = unit_cost.optional(fields::money)?;
        let daily_capacity = daily_capacity.optional(fields::count)?;
        Ok(ChannelRow { channel: context.word(id), name, unit_cost, daily_capacity, traits })
    }

    fn key(&self) -> Word {
        self.channel
    }

    fn dense_key(&self) -> Option<u32> {
        Some(self.channel.0)
    }

    fn rows(rows: Vec<ChannelRow>) -> Rows {
        Rows::Channel(rows)
    }
}

impl Record for OrderRow {
    const KEY: &'static str = "order_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<OrderRow, Bad> {
        let [order, customer, product, action, channel, at, bundled] = row.cells();
        let (order_id, id) = (order.id()?, customer.id()?);
        let (product, channel) = (product.id()?, channel.optional_id()?);
        let action = action.required(fields::action)?;
        let at = context.time_not_future(at)?;
        let bundled = bundled.optional(fields::boolean)?;
        Ok(OrderRow {
            order_id: order_id.into(),
            customer: context.customer(id),
            product: context.word(product),
            action,
            channel: context.word(channel),
            at,
            bundled,
        })
    }

    fn key(&self) -> &str {
        &self.order_id
    }

    fn rows(rows: Vec<OrderRow>) -> Rows {
        Rows::Order(rows)
    }
}

impl Record for MemberEventRow {
    const KEY: &'static str = "event_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<MemberEventRow, Bad> {
        let [event, customer, kind, at, channel, product, other, result, points, detail] = row.cells();
        let (event_id, id) = (event.id()?, customer.id()?);
        let kind = kind.required(fields::event_kind)?;
        let at = context.time_not_future(at)?;
        let (channel, product, other) = (channel.optional_id()?, product.optional_id()?, other.optional_id()?);
        let result = result.optional(fields::result)?;
        let points = points.optional(fields::points)?;
        let detail = detail.text()?;
        let names_other = !other.is_empty() && !context.intern.is_erased(Named::Customer(other));
        Ok(MemberEventRow {
            event_id: event_id.into(),
            customer: context.customer(id),
            at,
            event: Event {
                channel: context.word(channel),
                kind,
                product: context.word(product),
                other: names_other.then(|| context.customer(other)),
                result,
                detail: context.word(detail),
                // Asking for nothing and not asking are one.
                points: points.unwrap_or(0),
            },
        })
    }

    fn key(&self) -> &str {
        &self.event_id
    }

    fn rows(rows: Vec<MemberEventRow>) -> Rows {
        Rows::MemberEvent(rows)
    }
}

impl Record for AdjustmentRow {
    const KEY: &'static str = "adjustment_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<AdjustmentRow, Bad> {
        let [adjustment, customer, points, reason_cell, by, at] = row.cells();
        let (adjustment_id, id) = (adjustment.id()?, customer.id()?);
        let points = points.required(fields::points)?;
        let reason = reason_cell.words()?.ok_or(reason_cell.bad(Reason::Missing))?;
        let by = boxed(by.optional_id()?);
        let at = context.time_not_future(at)?;
        Ok(AdjustmentRow {
            adjustment_id: adjustment_id.into(),
            customer: context.customer(id),
            points,
            reason,
            by,
            at,
        })
    }

    fn key(&self) -> &str {
        &self.adjustment_id
    }

    fn rows(rows: Vec<AdjustmentRow>) -> Rows {
        Rows::Adjustment(rows)
    }
}

impl Record for ListingRow {
    const KEY: &'static str = "customer_id";
    type Key<'a> = (Word, CustomerIx);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ListingRow, Bad> {
        let [list, customer, from, until, reason] = row.cells();
        let (list, id) = (list.id()?, customer.id()?);
        let from = from.optional(|text| fields::time(text, &context.settings.timezone))?;
        let until = until.optional(|text| fields::time(text, &context.settings.timezone))?;
        let reason = reason.words()?;
        Ok(ListingRow { list: context.word(list), customer: context.customer(id), from, until, reason })
    }

    fn key(&self) -> (Word, CustomerIx) {
        (self.list, self.customer)
    }

    fn rows(rows: Vec<ListingRow>) -> Rows {
        Rows::Listing(rows)
    }
}

impl Record for ConsentRow {
    const KEY: &'static str = "at";
    type Key<'a> = (CustomerIx, Word, Word, Time);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ConsentRow, Bad> {
        let [customer, purpose, channel, at, given] = row.cells();
        let (id, purpose, channel) = (customer.id()?, purpose.id()?, channel.id()?);
        let at = context.time_not_future(at)?;
        let given = given.required(fields::boolean)?;
        Ok(ConsentRow {
            customer: context.customer(id),
            purpose: context.word(purpose),
            channel: context.word(channel),
            at,
            given,
        })
    }

    fn key(&self) -> Self::Key<'_> {
        (self.customer, self.purpose, self.channel, self.at)
    }

    fn rows(rows: Vec<ConsentRow>) -> Rows {
        Rows::Consent(rows)
    }
}

impl Record for ScoreRow {
    const KEY: &'static str = "model";
    type Key<'a> = (CustomerIx, Word);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ScoreRow, Bad> {
        let [customer, model, value, at] = row.cells();
        let (id, model) = (customer.id()?, model.id()?);
        let value = value.required(fields::money)?;
        let at = context.time_not_future_if_any(at)?;
        Ok(ScoreRow { customer: context.customer(id), model: context.word(model), value, at })
    }

    fn key(&self) -> (CustomerIx, Word) {
        (self.customer, self.model)
    }

    fn rows(rows: Vec<ScoreRow>) -> Rows {
        Rows::Score(rows)
    }
}
