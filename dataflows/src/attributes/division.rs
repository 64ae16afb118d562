//! Division of many by one, as a multiplication.

/// Divides by a small constant. With L the bits of the divisor d and M = floor(2^(31 + L) / d) + 1,
/// floor(n M / 2^(31 + L)) is floor(n / d) for every n below 2^31, as n (M d - 2^(31 + L)) is then below
/// 2^(31 + L) (Granlund and Montgomery 1994, "Division by invariant integers using multiplication").
pub struct Divider {
    magic: u64,
    shift: u32,
}

impl Divider {
    /// Dividends are below this, and not below 0.
    pub const MAX: i64 = 1 << 31;

    pub fn by(divisor: u8) -> Divider {
        let bits = u8::BITS - divisor.saturating_sub(1).leading_zeros();
        let shift = 31 + bits;
        Divider { magic: (1 << shift) / u64::from(divisor) + 1, shift }
    }

    #[inline]
    pub fn divide(&self, dividend: i64) -> i64 {
        ((dividend as u64).wrapping_mul(self.magic) >> self.shift) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_divisor_divides_near_its_multiples() {
        for divisor in 1..=60u8 {
            let (divider, by) = (Divider::by(divisor), i64::from(divisor));
            let near = |number: i64| [number - 1, number, number + 1];
            let far = (0..20_000).map(|step| Divider::MAX / by / 20_000 * step * by);
            for number in far.flat_map(near).chain(near(Divider::MAX - 2)).filter(|number| *number >= 0) {
                assert_eq!(divider.divide(number), number / by, "{number} / {divisor}");
            }
        }
    }
}
