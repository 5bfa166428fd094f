//! When a filesystem will be full, if it goes on as it did.

use common::number::float;

/// The trend is looked for in the last hour, six hours, day and week, in this order: what began lately counts
/// first. In seconds; history shorter than the first tells no trend.
const WINDOWS: [u64; 4] = [3600, 6 * 3600, 86_400, OLDEST];
/// Fewer points than this tell no trend.
const FEWEST: usize = 5;
/// The share of the variance that the line must explain (R²).
const GOOD_FIT: f64 = 0.8;
/// Growth over the whole history below this share of what is used is flat.
const FLAT: f64 = 0.001;
/// How many points are kept; thinning makes them span days.
const KEPT: usize = 64;
/// Points older than this, in seconds, are dropped.
pub(super) const OLDEST: u64 = 7 * 86_400;

/// Bytes per second by which `history`, of (seconds, bytes), grows: the slope of the least squares line through the
/// shortest of the windows that has one. `None` while all are short, flat, falling, or no line at all.
pub(super) fn growth(history: &[(u64, u64)]) -> Option<f64> {
    let now = history.last()?.0;
    WINDOWS.iter().find_map(|window| {
        // The point before the window begins belongs to it, or it would always be too short.
        let begin = history.iter().rposition(|(time, _)| now.saturating_sub(*time) >= *window).unwrap_or(0);
        line(history.get(begin..)?)
    })
}

fn line(history: &[(u64, u64)]) -> Option<f64> {
    let (first, last) = (history.first()?, history.last()?);
    let [shortest, ..] = WINDOWS;
    let span = last.0.checked_sub(first.0).filter(|span| *span >= shortest)?;
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

/// `history` with a further point, bounded in number and age. The point goes whose neighbours are nearest to each
/// other for its age, so that points are dense lately and still span days.
pub(super) fn extend(history: &[(u64, u64)], time: u64, used: u64) -> Vec<(u64, u64)> {
    let mut points: Vec<(u64, u64)> =
        history.iter().copied().filter(|(at, _)| *at < time && time - at <= OLDEST).collect();
    points.push((time, used));
    while points.len() > KEPT {
        let gap = |window: &[(u64, u64)]| match window {
            [before, point, after] => float(after.0.saturating_sub(before.0)) / float((time - point.0).max(1)),
            _ => f64::INFINITY,
        };
        let nearest = points.windows(3).enumerate().min_by(|(_, a), (_, b)| gap(a).total_cmp(&gap(b)));
        let nearest = nearest.map(|(at, _)| at + 1);
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
    fn growth_that_began_lately_is_seen_behind_a_flat_week() {
        let mut history = Vec::new();
        let week = 7 * 24 * 12;
        for step in 0..week {
            history = extend(&history, step * 300, 60 * GIB);
        }
        assert_eq!(growth(&history), None);
        let mut seen = None;
        for step in 0..36 {
            let used = 60 * GIB + (step + 1) * 10 * GIB / 12;
            history = extend(&history, (week + step) * 300, used);
            seen = seen.or_else(|| growth(&history).map(|_| step * 5));
        }
        let minutes = seen.unwrap();
        assert!(minutes <= 75, "after {minutes} minutes");
        let slope = growth(&history).unwrap() * 3600.0 / float(GIB);
        assert!((9.0..11.0).contains(&slope), "{slope}");
    }

    #[test]
    fn a_clock_that_went_back_drops_the_points_after_it() {
        assert_eq!(extend(&[(10, 1), (50, 2)], 30, 3), [(10, 1), (30, 3)]);
    }
}
