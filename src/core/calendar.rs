//! A moment as people write it: arithmetic of the Gregorian calendar, and the forms that the daemon prints.
//!
//! What the clocks on the wall show at a moment is not known here: that is for the C library to say (`sys::clock`).

const DAY_SECS: i64 = 86_400;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What clock and calendar show, somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// The year, as everybody counts.
    pub year: i64,
    /// 1 to 12.
    pub month: usize,
    /// From 1.
    pub day: i64,
    /// From 0 to 23.
    pub hour: i64,
    /// From 0 to 59.
    pub minute: i64,
    /// 60 in a leap second.
    pub second: i64,
}

impl Civil {
    /// A Unix time where clocks show UTC.
    pub(crate) fn at(unix_secs: i64) -> Civil {
        let (year, month, day) = date(unix_secs.div_euclid(DAY_SECS));
        let of_day = unix_secs.rem_euclid(DAY_SECS);
        let (hour, minute, second) = (of_day / 3600, of_day % 3600 / 60, of_day % 60);
        Civil { year, month, day, hour, minute, second }
    }

    /// The Unix time at which clocks that show UTC show this. The inverse of [`Civil::at`].
    pub(crate) fn as_utc_secs(&self) -> i64 {
        self.days() * DAY_SECS + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// Days since 1970-01-01, counted in years that start in March as in [`date`].
    fn days(&self) -> i64 {
        let month = i64::try_from(self.month).unwrap_or(1);
        let year = if month > 2 { self.year } else { self.year - 1 };
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        year.div_euclid(400) * 146_097 + day_of_era - 719_468
    }

    fn weekday(&self) -> &'static str {
        // The first of January 1970 was a Thursday.
        let index = usize::try_from((self.days() + 4).rem_euclid(7)).unwrap_or(0);
        WEEKDAYS[index]
    }

    fn month_name(&self) -> &'static str {
        MONTHS.get(self.month.wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// `2026-11-21 02:07:54`
    pub(crate) fn stamp(&self) -> String {
        let Civil { year, month, day, .. } = *self;
        format!("{year:04}-{month:02}-{day:02} {}", self.clock())
    }

    /// `2026-11-21T02:07:54`
    pub(crate) fn machine_readable(&self) -> String {
        let Civil { year, month, day, .. } = *self;
        format!("{year:04}-{month:02}-{day:02}T{}", self.clock())
    }

    /// `Sat Nov  7 02:07:54 2026`, as C prints it (`ctime`).
    pub(crate) fn ctime(&self) -> String {
        let Civil { year, day, .. } = *self;
        format!("{} {} {day:2} {} {year}", self.weekday(), self.month_name(), self.clock())
    }

    /// `Nov  7 02:07:54`, as the C library's syslog has it.
    pub(crate) fn syslog(&self) -> String {
        format!("{} {:2} {}", self.month_name(), self.day, self.clock())
    }

    /// `Sat, 07 Nov 2026 02:07:54 GMT`, for moments in UTC.
    pub(crate) fn http_date(&self) -> String {
        let Civil { year, day, .. } = *self;
        let (weekday, month) = (self.weekday(), self.month_name());
        format!("{weekday}, {day:02} {month} {year:04} {} GMT", self.clock())
    }

    /// `07/Nov/2026:02:07:54 +0000`, likewise.
    pub(crate) fn access_log(&self) -> String {
        format!("{:02}/{}/{:04}:{} +0000", self.day, self.month_name(), self.year, self.clock())
    }

    /// `Nov 07 02:07 AM`, as `status` shows when a process has ended.
    pub(crate) fn twelve_hours(&self) -> String {
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let hour = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
        format!("{} {:02} {hour:02}:{:02} {half}", self.month_name(), self.day, self.minute)
    }

    fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// Year, month (1 to 12) and day of a day counted from 1970-01-01.
///
/// Counts in years that start in March, so that the leap day is the last of its year.
fn date(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12 + 1;
    let year = shifted.div_euclid(146_097) * 400 + year_of_era + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let civil = Civil::at(1_794_017_274); // date -u -d @1794017274
        assert_eq!(civil.stamp(), "2026-11-07 02:07:54");
        assert_eq!(civil.machine_readable(), "2026-11-07T02:07:54");
        assert_eq!(civil.ctime(), "Sat Nov  7 02:07:54 2026");
        assert_eq!(civil.syslog(), "Nov  7 02:07:54");
        assert_eq!(civil.http_date(), "Sat, 07 Nov 2026 02:07:54 GMT");
        assert_eq!(civil.access_log(), "07/Nov/2026:02:07:54 +0000");
        assert_eq!(civil.twelve_hours(), "Nov 07 02:07 AM");
        // date -u +'%b %d %I:%M %p' -d @...
        for (secs, text) in [
            (0, "Jan 01 12:00 AM"),
            (951_782_399, "Feb 28 11:59 PM"),
            (951_782_400, "Feb 29 12:00 AM"),
            (1_709_164_800 + 43_200, "Feb 29 12:00 PM"),
            (-1, "Dec 31 11:59 PM"),
        ] {
            assert_eq!(Civil::at(secs).twelve_hours(), text, "{secs}");
        }
    }

    #[test]
    fn there_and_back() {
        // Every day of two eras, at changing times of the day.
        for day in -150_000..150_000_i64 {
            let secs = day * DAY_SECS + (day * 7919).rem_euclid(DAY_SECS);
            assert_eq!(Civil::at(secs).as_utc_secs(), secs);
        }
        assert_eq!(Civil::at(-11_676_096_000).stamp(), "1600-01-01 00:00:00");
        assert_eq!(Civil::at(253_402_300_799).ctime(), "Fri Dec 31 23:59:59 9999");
    }
}
