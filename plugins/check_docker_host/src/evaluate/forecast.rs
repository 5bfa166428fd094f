//! When a filesystem will be full, if it goes on as it did.

use common::number::float;

/// History shorter than this, in seconds, tells no trend.
const SHORTEST: u64 = 3600;
/// Fewer points than this tell no trend.
const FEWEST: usize = 5;
/// The share of the variance that the line must explain (R²).
const GOOD_FIT: f64 = 0.8;
/// Growth over the whole history below this share of what is used is flat.
const FLAT: f64 = 0.001;
/// How many points are kept; thinning makes them span days.
const KEPT: usize = 64;
/// Points older than this, in seconds, are dropped.
const OLDEST: u64 = 7 * 86_400;

/// Bytes per second by which `history`, of (seconds, bytes), grows: the slope of its least squares line.
/// `None` while it is short, flat, falling, or no line at all.
pub(super) fn growth(history: &[(u64, u64)]) -> Option<f64> {
    let (first, last) = (history.first()?, history.last()?);
    let span = last.0.checked_sub(first.0).filter(|span| *span >= SHORTEST)?;
    if history.len() < FEWEST {
        return None;
    }
    // Relative to the first point, so that squares of large numbers do not eat the differences.
    let points: Vec<(f64, f64)> = history
        .iter()
        .map(|(time, used)| (float(time.saturating_sub(first.0)), float(*used) - float(first.1)))
        .collect();
    let count = float(u64::try_from(points.len()).ok()?);
    let mean = |value: fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let sum =
        |value: &dyn Fn(f64, f64) -> f64| -> f64 { points.iter().map(|(x, y)| value(x - mean_x, y - mean_y)).sum() };
    let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
    if xx <= 0.0 || yy <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let fit = xy * xy / (xx * yy);
    let is_flat = slope * float(span) < FLAT * float(last.1).max(1.0);
    (slope > 0.0 && fit >= GOOD_FIT && !is_flat).then_some(slope)
}

/// `history` with a further point, bounded in number and age: the point that is nearest to its neighbours goes.
pub(super) fn extend(history: &[(u64, u64)], time: u64, used: u64) -> Vec<(u64, u64)> {
    let mut points: Vec<(u64, u64)> =
        history.iter().copied().filter(|(at, _)| *at < time && time - at <= OLDEST).collect();
    points.push((time, used));
    while points.len() > KEPT {
        let gap = |window: &[(u64, u64)]| match window {
            [before, _, after] => after.0.saturating_sub(before.0),
            _ => u64::MAX,
        };
        let nearest = points.windows(3).enumerate().min_by_key(|(_, window)| gap(window)).map(|(at, _)| at + 1);
        match nearest {
            Some(at) => points.remove(at),
            None => break,
        };
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn line(hours: u64, per_hour: u64) -> Vec<(u64, u64)> {
        (0..=hours * 4).map(|quarter| (1_000_000 + quarter * 900, 10 * GIB + quarter * per_hour / 4)).collect()
    }

    #[test]
    fn a_steady_growth_is_found() {
        let slope = growth(&line(3, GIB)).unwrap();
        assert!((slope * 3600.0 / float(GIB) - 1.0).abs() < 1e-9, "{slope}");
    }

    #[test]
    fn no_answer_without_a_trend() {
        assert_eq!(growth(&[]), None);
        assert_eq!(growth(&line(3, 0)), None, "flat");
        assert_eq!(growth(&line(3, 1 << 20)), None, "nearly flat");
        let mut falling = line(3, GIB);
        falling.iter_mut().zip(0..).for_each(|(point, step)| point.1 -= step * GIB);
        assert_eq!(growth(&falling), None, "falling");
        assert_eq!(growth(&line(3, GIB)[..4]), None, "shorter than an hour");
        let saw: Vec<(u64, u64)> = (0..24).map(|hour| (hour * 3600, (hour % 4) * GIB)).collect();
        assert_eq!(growth(&saw), None, "poorly fitted");
        assert_eq!(growth(&[(5, 1), (4, 2), (3, 3), (2, 4), (1, 5)]), None, "time runs backwards");
    }

    #[test]
    fn history_is_bounded_and_spans_days() {
        let mut history = Vec::new();
        for minute in 0..60 * 24 * 10 {
            history = extend(&history, minute * 60, minute);
        }
        assert_eq!(history.len(), KEPT);
        let span = history.last().unwrap().0 - history.first().unwrap().0;
        assert!(span > 4 * 86_400, "{span}");
        assert!(history.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_clock_that_went_back_drops_the_points_after_it() {
        assert_eq!(extend(&[(10, 1), (50, 2)], 30, 3), [(10, 1), (30, 3)]);
    }
}
