//! Histograms with fixed buckets: a handful of atomics each, however seldom somebody reads them.
//!
//! The exporter's own keep every sample until the next scrape, so a host that nobody scrapes grows with each webhook.
//! Here a sample is one addition to its bucket and one to the sum; a count is the sum of the buckets.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a histogram counts in: whole grains, so that adding to a sum is one instruction.
pub struct Scale {
    /// Upper bounds of the buckets, in grains, ascending; one more bucket takes what is above.
    bounds: &'static [u64],
    /// How many grains make the unit that is shown: nanoseconds in a second, for one.
    grains_per_unit: f64,
}

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// From a warm webhook without any work (10 µs) to the patience of the most patient carrier (15 s).
pub static SECONDS: Scale = Scale {
    bounds: &[
        10 * US,
        20 * US,
        50 * US,
        100 * US,
        200 * US,
        500 * US,
        MS,
        2 * MS,
        5 * MS,
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
    ],
    grains_per_unit: 1e9,
};

/// From a component that was compiled before to the hard limit of a compile (300 s).
static COMPILE_SECONDS: Scale = Scale {
    bounds: &[
        10 * MS,
        20 * MS,
        50 * MS,
        100 * MS,
        200 * MS,
        500 * MS,
        S,
        2 * S,
        5 * S,
        10 * S,
        20 * S,
        60 * S,
        120 * S,
        300 * S,
    ],
    grains_per_unit: 1e9,
};

/// 1 KiB to 4 GiB in steps of four.
static BYTES: Scale = Scale {
    bounds: &[
        1 << 10,
        1 << 12,
        1 << 14,
        1 << 16,
        1 << 18,
        1 << 20,
        1 << 22,
        1 << 24,
        1 << 26,
        1 << 28,
        1 << 30,
        1 << 32,
    ],
    grains_per_unit: 1.0,
};

/// Plain numbers, 1 to 10 000; counted in thousandths.
static NUMBERS: Scale = Scale {
    bounds: &[1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 10_000_000],
    grains_per_unit: 1e3,
};

/// The buckets that fit a metric's name; its unit is the name's last word.
pub fn scale_for(name: &str) -> &'static Scale {
    if name.ends_with("_compile_seconds") {
        &COMPILE_SECONDS
    } else if name.ends_with("_seconds") {
        &SECONDS
    } else if name.ends_with("_bytes") {
        &BYTES
    } else {
        &NUMBERS
    }
}

/// One series of a histogram.
pub struct Histogram {
    scale: &'static Scale,
    /// One for each bound and one for what is above.
    buckets: Box<[AtomicU64]>,
    /// In grains; nanoseconds fill it in 584 years.
    sum: AtomicU64,
}

impl Histogram {
    /// Empty.
    pub fn new(scale: &'static Scale) -> Self {
        let buckets = (0..=scale.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { scale, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a length of time; for scales of seconds.
    pub fn record_time(&self, time: Duration) {
        self.record_grains(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    fn record_grains(&self, grains: u64) {
        let bucket = self.scale.bounds.partition_point(|bound| *bound < grains);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(grains, Relaxed);
    }

    /// Whether nothing was counted yet.
    pub fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.load(Relaxed) == 0)
    }

    /// Writes the lines of this series. `labels` as they stand between the braces; may be empty.
    pub fn write(&self, text: &mut String, name: &str, labels: &str) {
        let (comma, braced) =
            if labels.is_empty() { ("", String::new()) } else { (",", format!("{{{labels}}}")) };
        let mut count = 0;
        for (bucket, bound) in self.buckets.iter().zip(self.scale.bounds) {
            count += bucket.load(Relaxed);
            let bound = self.scale.in_units(*bound);
            let _infallible = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        count += self.buckets.last().map_or(0, |above| above.load(Relaxed));
        let sum = self.scale.in_units(self.sum.load(Relaxed));
        let _infallible = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
        let _infallible = writeln!(text, "{name}_sum{braced} {sum}\n{name}_count{braced} {count}");
    }
}

impl Scale {
    fn in_units(&self, grains: u64) -> f64 {
        grains as f64 / self.grains_per_unit
    }
}

impl metrics::HistogramFn for Histogram {
    fn record(&self, value: f64) {
        // A cast takes what is negative or no number as 0, and what is too large as the most.
        self.record_grains((value * self.scale.grains_per_unit) as u64);
    }
}

#[cfg(test)]
mod tests {
    use metrics::HistogramFn as _;

    use super::*;

    #[test]
    fn a_sample_is_in_the_first_bucket_that_is_not_below_it() {
        let histogram = Histogram::new(&SECONDS);
        for time in [0, 10_000, 10_001, 1_999_999, 2_000_000, 15_000_000_001] {
            histogram.record_time(Duration::from_nanos(time));
        }
        let mut text = String::new();
        histogram.write(&mut text, "x_seconds", "a=\"b\"");
        for line in [
            "x_seconds_bucket{a=\"b\",le=\"0.00001\"} 2\n",
            "x_seconds_bucket{a=\"b\",le=\"0.00002\"} 3\n",
            "x_seconds_bucket{a=\"b\",le=\"0.001\"} 3\n",
            "x_seconds_bucket{a=\"b\",le=\"0.002\"} 5\n",
            "x_seconds_bucket{a=\"b\",le=\"15\"} 5\n",
            "x_seconds_bucket{a=\"b\",le=\"+Inf\"} 6\n",
            "x_seconds_sum{a=\"b\"} 15.004020001\n",
            "x_seconds_count{a=\"b\"} 6\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_no_sensible_sample_neither_panics_nor_wraps() {
        for value in [f64::NAN, f64::NEG_INFINITY, -1.0, f64::INFINITY, 1e300] {
            let histogram = Histogram::new(&SECONDS);
            histogram.record(value);
            assert!(!histogram.is_empty(), "{value}");
        }
    }

    #[test]
    fn buckets_fit_the_unit_in_the_name() {
        for (name, last) in [
            ("hookswitch_webhook_seconds", 15.0),
            ("hookswitch_compile_seconds", 300.0),
            ("hookswitch_upload_bytes", 4_294_967_296.0),
            ("hookswitch_steps", 10_000.0),
        ] {
            let scale = scale_for(name);
            assert!(scale.bounds.is_sorted(), "{name}");
            assert_eq!(scale.bounds.last().map(|bound| scale.in_units(*bound)), Some(last), "{name}");
        }
    }
}
