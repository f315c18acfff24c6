//! How long calls take, by method.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::text::{Micros, Page};
use crate::core::rpc::methods::{TableName, table_name};

/// Upper bounds of the buckets in microseconds, and as they are written: from what is answered at once to calls that wait
/// for a program to start or to stop.
const BUCKETS: [(u64, &str); 10] = [
    (100, "0.0001"),
    (1_000, "0.001"),
    (10_000, "0.01"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_000_000, "2"),
    (5_000_000, "5"),
    (10_000_000, "10"),
    (60_000_000, "60"),
];

/// What calls of unknown methods count as.
const OTHER: &str = "other";

/// How long the calls of every method took. There are no more entries than methods in the table, and one.
#[derive(Debug, Default)]
pub(in crate::http) struct Latencies {
    by_method: RefCell<BTreeMap<Option<TableName>, Histogram>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Histogram {
    /// Calls by the first bound that is not exceeded; those beyond the last one are in `count` only.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum_micros: u64,
}

/// Whether the method of a call was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Found {
    Yes,
    No,
}

impl Latencies {
    /// Counts a call that was answered.
    pub(in crate::http) fn count(&self, method: &str, found: Found, took: Duration) {
        let name = if found == Found::Yes { table_name(method) } else { None };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut by_method = self.by_method.borrow_mut();
        let histogram = by_method.entry(name).or_default();
        histogram.count += 1;
        histogram.sum_micros = histogram.sum_micros.saturating_add(micros);
        if let Some(bucket) = BUCKETS.iter().position(|(most, _)| micros <= *most) {
            histogram.buckets[bucket] += 1;
        }
    }

    /// Writes those of every method that was called.
    pub(super) fn write(&self, page: &mut Page) {
        for (name, histogram) in &*self.by_method.borrow() {
            let method = name.map_or_else(|| OTHER.to_string(), |name| name.to_string());
            let mut so_far = 0;
            for ((_, most), calls) in BUCKETS.iter().zip(histogram.buckets) {
                so_far += calls;
                page.line_of("_bucket", &[("method", &method), ("le", most)], so_far);
            }
            let labels = [("method", method.as_str())];
            page.line_of("_bucket", &[labels[0], ("le", "+Inf")], histogram.count);
            page.line_of("_sum", &labels, Micros(histogram.sum_micros));
            page.line_of("_count", &labels, histogram.count);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn calls_are_counted_by_the_methods_of_the_table() {
        let latencies = Latencies::default();
        for (method, found, millis) in [
            ("supervisor.getState", Found::Yes, 0),
            ("renamed.getState", Found::Yes, 1),
            ("supervisor.getState", Found::Yes, 61_000),
            ("system.multicall", Found::Yes, 5),
            ("supervisord_rs.reopenLogs", Found::Yes, 5),
            ("a.getState", Found::No, 5),
            ("supervisor.\"}\n", Found::Yes, 5),
        ] {
            latencies.count(method, found, Duration::from_millis(millis));
        }
        let mut page = Page::default();
        page.go_on("x");
        latencies.write(&mut page);
        let bytes = Bytes::from(page);
        let text = std::str::from_utf8(&bytes).unwrap();
        let mut counts: Vec<&str> = text.lines().filter(|line| line.contains("_count")).collect();
        counts.sort_unstable();
        assert_eq!(
            counts,
            [
                "x_count{method=\"other\"} 2",
                "x_count{method=\"supervisor.getState\"} 3",
                "x_count{method=\"supervisord_rs.reopenLogs\"} 1",
                "x_count{method=\"system.multicall\"} 1",
            ]
        );
        for line in [
            "x_bucket{method=\"supervisor.getState\",le=\"0.0001\"} 1",
            "x_bucket{method=\"supervisor.getState\",le=\"0.001\"} 2",
            "x_bucket{method=\"supervisor.getState\",le=\"60\"} 2",
            "x_bucket{method=\"supervisor.getState\",le=\"+Inf\"} 3",
            "x_sum{method=\"supervisor.getState\"} 61.001000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
