//! `KerberosTime`, RFC 4120, 5.2.3: `GeneralizedTime` in whole seconds of UTC.

use core::fmt;

use crate::der::{DerError, GENERALIZED_TIME, Reader, Result, Writer};

/// Seconds since 1970, from the year 0 to the year 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KerberosTime(i64);

const DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z.
const FIRST: i64 = -62_167_219_200;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;

impl KerberosTime {
    /// A time by its seconds since 1970; those that cannot be written become the nearest that can.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(if seconds < FIRST {
            FIRST
        } else if seconds > LAST {
            LAST
        } else {
            seconds
        })
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// So many seconds later, or earlier.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// How many seconds lie between two times.
    #[must_use]
    pub const fn distance(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }

    /// Reads the fifteen characters `YYYYMMDDHHMMSSZ`.
    ///
    /// # Errors
    /// [`DerError::Value`]: it is no date, or another form.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Self::parse(reader.value(GENERALIZED_TIME)?).ok_or(DerError::Value)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (digits, b"Z") = text.split_at_checked(14)? else { return None };
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = |from: usize, to: usize| -> Option<i64> {
            core::str::from_utf8(digits.get(from..to)?).ok()?.parse().ok()
        };
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
        // A leap second is read as the second after it.
        let is_time = hour < 24 && minute < 60 && second <= 60;
        if !is_time || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let seconds = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?;
        let days = days_from_civil(year, month, day)?;
        Some(Self::from_unix(days.checked_mul(DAY)?.checked_add(seconds)?.checked_add(second)?))
    }

    /// Writes it.
    pub fn write(self, writer: &mut Writer) {
        let text = alloc::format!("{self}");
        writer.element(GENERALIZED_TIME, text.as_bytes());
    }
}

impl fmt::Display for KerberosTime {
    /// As it stands in a message: `YYYYMMDDHHMMSSZ`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days).ok_or(fmt::Error)?;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap day comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let shifted = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let month_from_march = month.checked_add(9)?.rem_euclid(12);
    let day_of_year = (153_i64.checked_mul(month_from_march)?.checked_add(2)? / 5)
        .checked_add(day)?
        .checked_sub(1)?;
    let leap_days = (year_of_era / 4).checked_sub(year_of_era / 100)?;
    let day_of_era =
        year_of_era.checked_mul(365)?.checked_add(leap_days)?.checked_add(day_of_year)?;
    era.checked_mul(146_097)?.checked_add(day_of_era)?.checked_sub(719_468)
}

fn civil_from_days(days: i64) -> Option<(i64, i64, i64)> {
    let days = days.checked_add(719_468)?;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let no_leap = day_of_era
        .checked_sub(day_of_era / 1_460)?
        .checked_add(day_of_era / 36_524)?
        .checked_sub(day_of_era / 146_096)?;
    let year_of_era = no_leap / 365;
    let before = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era / 4)?
        .checked_sub(year_of_era / 100)?;
    let day_of_year = day_of_era.checked_sub(before)?;
    let month_from_march = day_of_year.checked_mul(5)?.checked_add(2)? / 153;
    let month_start = 153_i64.checked_mul(month_from_march)?.checked_add(2)? / 5;
    let day = day_of_year.checked_sub(month_start)?.checked_add(1)?;
    let month = month_from_march.checked_add(2)?.rem_euclid(12).checked_add(1)?;
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    Some((if month <= 2 { year.checked_add(1)? } else { year }, month, day))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        for (seconds, text) in [
            (0, "19700101000000Z"),
            (951_782_399, "20000228235959Z"),
            (951_782_400, "20000229000000Z"),
            (2_147_483_648, "20380119031408Z"),
            (4_107_542_400, "21000301000000Z"),
            (LAST, "99991231235959Z"),
            (FIRST, "00000101000000Z"),
            (-1, "19691231235959Z"),
        ] {
            assert_eq!(KerberosTime::from_unix(seconds).to_string(), text);
            assert_eq!(KerberosTime::parse(text.as_bytes()), Some(KerberosTime(seconds)), "{text}");
        }
        for seconds in (FIRST..LAST).step_by(7_777_777_777) {
            let text = KerberosTime(seconds).to_string();
            assert_eq!(KerberosTime::parse(text.as_bytes()), Some(KerberosTime(seconds)));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "1970010100000Z",
            "19700101000000",
            "19700101000000z",
            "197001010000000Z",
            "19700001000000Z",
            "19701301000000Z",
            "19700230000000Z",
            "19000229000000Z",
            "19700101240000Z",
            "19700101006000Z",
            "19700101000061Z",
            "1970010100000.Z",
            "+9700101000000Z",
            "19700101000000.5Z",
        ] {
            assert_eq!(KerberosTime::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            KerberosTime::parse(b"19981231235960Z"),
            KerberosTime::parse(b"19990101000000Z")
        );
    }
}
