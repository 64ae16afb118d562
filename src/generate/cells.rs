//! A row's cells, written one after the other without a detour over formatting.

use dataflows::types::{Day, Month, SECONDS_PER_DAY, Time};

/// Digits of a customer's number, so that ids sort as numbers do.
const CUSTOMER_DIGITS: usize = 9;

/// The cells of a row, written one after the other.
pub(super) struct Cells<'a> {
    pub(super) text: &'a mut String,
    /// Where each cell ends; its delimiter follows.
    pub(super) ends: &'a mut Vec<usize>,
    pub(super) delimiter: char,
}

impl Cells<'_> {
    fn end(&mut self) -> &mut Self {
        self.ends.push(self.text.len());
        self.text.push(self.delimiter);
        self
    }

    /// Text that needs no quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        debug_assert!(!text.contains([',', '|', '\t', '"', '\n']), "{text:?} needs quotes");
        self.text.push_str(text);
        self.end()
    }

    /// An empty cell.
    pub(super) fn none(&mut self) -> &mut Self {
        self.end()
    }

    /// A letter and a number of a fixed width, as ids are.
    pub(super) fn id(&mut self, letter: char, number: u64, width: usize) -> &mut Self {
        self.text.push(letter);
        self.digits(number, width);
        self.end()
    }

    /// A customer.
    pub(super) fn customer(&mut self, number: u64) -> &mut Self {
        self.id('C', number, CUSTOMER_DIGITS)
    }

    /// An id of what a customer did: a letter, the customer, the month, and which of it.
    pub(super) fn event(&mut self, letter: char, customer: u64, month: Month, number: u32) -> &mut Self {
        self.text.push(letter);
        self.digits(customer, CUSTOMER_DIGITS);
        self.text.push('-');
        self.digits(month.0 as u64, 5);
        self.text.push('-');
        self.digits(u64::from(number), 2);
        self.end()
    }

    pub(super) fn count(&mut self, count: u64) -> &mut Self {
        self.digits(count, 1);
        self.end()
    }

    pub(super) fn integer(&mut self, integer: i64) -> &mut Self {
        if integer < 0 {
            self.text.push('-');
        }
        self.count(integer.unsigned_abs())
    }

    /// Hundredths: fen as yuan.
    pub(super) fn money(&mut self, hundredths: i64) -> &mut Self {
        if hundredths < 0 {
            self.text.push('-');
        }
        self.digits(hundredths.unsigned_abs() / 100, 1);
        self.text.push('.');
        self.digits(hundredths.unsigned_abs() % 100, 2);
        self.end()
    }

    pub(super) fn boolean(&mut self, boolean: bool) -> &mut Self {
        self.text(if boolean { "true" } else { "false" })
    }

    pub(super) fn month(&mut self, month: Month) -> &mut Self {
        self.digits(month.year() as u64, 4);
        self.text.push('-');
        self.digits(u64::from(month.month()), 2);
        self.end()
    }

    fn push_day(&mut self, day: Day) {
        let (year, month, day) = day.civil();
        self.digits(year as u64, 4);
        self.text.push('-');
        self.digits(u64::from(month), 2);
        self.text.push('-');
        self.digits(u64::from(day), 2);
    }

    pub(super) fn day(&mut self, day: Day) -> &mut Self {
        self.push_day(day);
        self.end()
    }

    pub(super) fn time(&mut self, time: Time) -> &mut Self {
        self.push_day(time.day());
        let second = time.0.rem_euclid(SECONDS_PER_DAY) as u64;
        for (sign, part) in [(' ', second / 3600), (':', second / 60 % 60), (':', second % 60)] {
            self.text.push(sign);
            self.digits(part, 2);
        }
        self.end()
    }

    /// A number with at least `width` digits.
    fn digits(&mut self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        while number > 0 || digits.len() - at < width {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        // Digits are ASCII, so this is all of them.
        self.text.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_the_contract_reads_them() {
        let (mut text, mut ends) = (String::new(), Vec::new());
        let mut cells = Cells { text: &mut text, ends: &mut ends, delimiter: '|' };
        let month = Month::new(2009, 7);
        cells.customer(42).none().money(-5).money(123_450).integer(-7).count(0).boolean(true).month(month);
        cells.day(month.last_day()).time(Time(month.last_day().start().0 + 86_399)).event('E', 1, month, 3);
        let expected =
            "C000000042||-0.05|1234.50|-7|0|true|2009-07|2009-07-31|2009-07-31 23:59:59|E000000001-24114-03|";
        assert_eq!(text, expected);
        assert_eq!(ends.len(), 11);
    }
}
