//! The values of attributes: words from a list, and decimal numbers.
//!
//! A closed list is an `enum`. An open one, which the carrier lengthens at will, is a text with
//! named constants, so that today's program can say tomorrow's voice; neither costs a guest
//! anything for the values that it does not use.

use super::markup::push_number;

/// Makes a closed list of words: an `enum` with `as_str` and `ALL`.
macro_rules! closed_values {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)+
        }

        impl $name {
            /// Every value, in the order of the grammar.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value as it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

/// Makes an open list of words: a text with a constant for each value known today.
macro_rules! open_values {
    ($(#[$doc:meta])* $name:ident { $($constant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a>(&'a str);

        impl $name<'static> {
            $(#[doc = concat!("`", $word, "`")] pub const $constant: Self = Self::new($word);)+
        }

        impl<'a> $name<'a> {
            /// A value by its word, known or not.
            pub const fn new(word: &'a str) -> Self {
                Self(word)
            }

            /// The value as it is written.
            pub const fn as_str(self) -> &'a str {
                self.0
            }
        }

        impl<'a> From<&'a str> for $name<'a> {
            fn from(word: &'a str) -> Self {
                Self(word)
            }
        }

        impl<'a> From<&'a String> for $name<'a> {
            fn from(word: &'a String) -> Self {
                Self(word)
            }
        }
    };
}

/// More constants of an open list that is too long for one file.
macro_rules! more_values {
    ($name:ident { $($constant:ident = $word:literal,)+ }) => {
        impl $name<'static> {
            $(#[doc = concat!("`", $word, "`")] pub const $constant: Self = Self::new($word);)+
        }
    };
}

pub(super) use {closed_values, more_values, open_values};

/// A decimal number with up to six places, such as an amount of money.
///
/// ```
/// use hookswitch_sdk::twiml::{Decimal, Pay};
///
/// assert_eq!(Pay::new().charge_amount(Decimal::cents(1999)).to_string(), r#"<Pay chargeAmount="19.99"/>"#);
/// assert_eq!(Pay::new().charge_amount(20).to_string(), r#"<Pay chargeAmount="20"/>"#);
/// assert_eq!(Pay::new().charge_amount(0.5).to_string(), r#"<Pay chargeAmount="0.5"/>"#);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    millionths: i64,
}

impl Decimal {
    /// So many hundredths: exact for money. Ends at 9 × 10¹² whole units, where it stays.
    pub const fn cents(cents: i64) -> Self {
        Self { millionths: cents.saturating_mul(10_000) }
    }

    /// Appends the number, without zeros that say nothing.
    pub(super) fn push_to(self, out: &mut String) {
        if self.millionths < 0 {
            out.push('-');
        }
        let magnitude = self.millionths.unsigned_abs();
        push_number(out, magnitude / 1_000_000);
        let mut rest = magnitude % 1_000_000;
        if rest > 0 {
            out.push('.');
        }
        let mut place = 100_000;
        while rest > 0 {
            push_number(out, rest / place);
            rest %= place;
            place /= 10;
        }
    }
}

impl From<i32> for Decimal {
    fn from(number: i32) -> Self {
        Self { millionths: i64::from(number) * 1_000_000 }
    }
}

impl From<f64> for Decimal {
    /// Rounds to six places. What is no number becomes 0, what is too large the largest.
    fn from(number: f64) -> Self {
        Self { millionths: (number * 1e6).round() as i64 }
    }
}

#[cfg(test)]
mod tests {
    use super::Decimal;

    #[test]
    fn decimals_are_written_shortly() {
        let cases = [
            (Decimal::from(0), "0"),
            (Decimal::from(-3), "-3"),
            (Decimal::from(0.3), "0.3"),
            (Decimal::from(0.1 + 0.2), "0.3"),
            (Decimal::from(-0.05), "-0.05"),
            (Decimal::from(1.000_000_4), "1"),
            (Decimal::from(12.000_001), "12.000001"),
            (Decimal::from(999_999.999_999_9), "1000000"),
            (Decimal::from(f64::NAN), "0"),
            (Decimal::from(f64::INFINITY), "9223372036854.775807"),
            (Decimal::cents(1999), "19.99"),
            (Decimal::cents(1990), "19.9"),
            (Decimal::cents(-5), "-0.05"),
            (Decimal::cents(i64::MAX), "9223372036854.775807"),
        ];
        for (decimal, expected) in cases {
            let mut written = String::new();
            decimal.push_to(&mut written);
            assert_eq!(written, expected, "{decimal:?}");
        }
    }
}
