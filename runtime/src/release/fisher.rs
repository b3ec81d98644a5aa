//! Fisher's exact test, one-sided: how likely one side of two would have so many failures, or more, by chance alone.
//!
//! Given how many webhooks each side had and how many failed in all, the failures fall on the sides as if drawn without
//! putting back. Exact for small numbers, where approximations are wrong and canaries live. Everything is computed with
//! logarithms, because the binomials have millions of digits.

/// The probability that at least `failed` of the `failed + other_failed` failures fall on the side that had `webhooks`
/// of the `webhooks + other_webhooks`, when both fail alike. 1 where the side is not above the other.
///
/// More failures than webhooks count as all of them.
#[must_use]
pub fn chance(failed: u64, webhooks: u64, other_failed: u64, other_webhooks: u64) -> f64 {
    let (failed, other_failed) = (failed.min(webhooks), other_failed.min(other_webhooks));
    let all_failed = failed + other_failed;
    let above =
        u128::from(failed) * u128::from(other_webhooks) > u128::from(other_failed) * u128::from(webhooks);
    if !above {
        return 1.0;
    }
    let most = webhooks.min(all_failed);
    // Above the mean each term is smaller than the one before it, so the sum may stop where terms no longer count.
    let first = ln_choose(webhooks, failed) + ln_choose(other_webhooks, other_failed)
        - ln_choose(webhooks + other_webhooks, all_failed);
    let (mut term, mut sum) = (1.0, 1.0);
    for k in failed..most {
        let [left, other_left] = [(webhooks - k) as f64, (all_failed - k) as f64];
        let other_fine = (other_webhooks + k + 1 - all_failed) as f64;
        term *= left * other_left / ((k + 1) as f64 * other_fine);
        sum += term;
        if term < sum * 1e-15 {
            break;
        }
    }
    (first + f64::ln(sum)).exp().min(1.0)
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}

/// The logarithm of n!, by Stirling's series; good to 12 digits.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|i| i as f64).product::<f64>().ln();
    }
    let n = n as f64;
    let n3 = n * n * n;
    (n + 0.5) * n.ln() - n + 0.5 * std::f64::consts::TAU.ln() + 1.0 / (12.0 * n) - 1.0 / (360.0 * n3)
        + 1.0 / (1260.0 * n3 * n * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_the_textbook() {
        // Computed with exact fractions.
        for (sides, expected) in [
            ([3, 4, 1, 4], 17.0 / 70.0), // the lady who tastes tea
            ([4, 4, 0, 4], 1.0 / 70.0),
            ([5, 5, 1, 100], 6.0 / 96_560_646.0),
            ([1, 1, 0, 9], 0.1),
            ([2, 10, 1, 100], 0.021_406_727_828_746_176),
            ([10, 100, 0, 900], 6.571_632_945e-11),
        ] {
            let [failed, webhooks, other_failed, other_webhooks] = sides;
            let found = chance(failed, webhooks, other_failed, other_webhooks);
            assert!((found / expected - 1.0).abs() < 1e-8, "{sides:?}: {found} for {expected}");
        }
    }

    #[test]
    fn a_side_that_is_not_above_the_other_never_stands_out() {
        for sides in
            [[0, 0, 0, 0], [0, 10, 0, 10], [1, 10, 10, 100], [0, 5, 3, 100], [5, 5, 7, 7], [0, 0, 5, 5]]
        {
            let [failed, webhooks, other_failed, other_webhooks] = sides;
            assert_eq!(chance(failed, webhooks, other_failed, other_webhooks), 1.0, "{sides:?}");
        }
    }

    #[test]
    fn factorials_agree_where_both_ways_hold() {
        let mut exact = 0.0;
        for n in 1..3_000_u64 {
            exact += (n as f64).ln();
            let relative = (ln_factorial(n) - exact).abs() / exact.max(1.0);
            assert!(relative < 1e-11, "{n}: {relative}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_counts_give_a_probability_that_falls_with_each_failure(
            webhooks in 0..u64::from(u32::MAX), other in 0..u64::from(u32::MAX), failed in 0..10_000_u64, other_failed in 0..10_000_u64
        ) {
            let less = chance(failed, webhooks, other_failed, other);
            let more = chance(failed + 1, webhooks, other_failed, other);
            proptest::prop_assert!((0.0..=1.0).contains(&less), "{}", less);
            proptest::prop_assert!(more <= less * (1.0 + 1e-6) || failed >= webhooks, "{} then {}", less, more);
        }
    }
}
