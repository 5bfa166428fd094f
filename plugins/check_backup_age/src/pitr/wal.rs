//! Names in a WAL archive, and whether a recovery finds all that it needs there.

use std::collections::BTreeMap;

use crate::pitr::{Lsn, lsn};

/// The size of a segment unless the cluster was made with another.
pub const DEFAULT_SEGMENT_SIZE: u64 = 16 << 20;
const SEGMENT_SIZES: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 30;
/// What archive commands compress with.
const SUFFIXES: &[&str] = &[".gz", ".zst", ".lz4", ".xz", ".bz2"];

/// What a file name in an archive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A segment: `000000010000000A000000FF`.
    Segment {
        /// Which.
        id: Id,
        /// Whether its size tells nothing of its content.
        compressed: bool,
    },
    /// The last segment of a timeline that ended before the segment did: `….partial`.
    Partial(Id),
    /// Where a base backup begins and ends: `….00000028.backup`.
    Backup(Id),
    /// Where a timeline begins: `00000002.history`.
    History(u32),
    /// Something else.
    Other,
}

/// A segment as its name says it: timeline, the upper half of its place, and its number therein.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// The timeline, from 1.
    pub timeline: u32,
    /// Upper 32 bits of its place in the WAL.
    pub high: u32,
    /// Its number within those.
    pub low: u32,
}

impl Id {
    /// Reads 24 digits.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 24 {
            return None;
        }
        Some(Self { timeline: hex(text.get(..8)?)?, high: hex(text.get(8..16)?)?, low: hex(text.get(16..)?)? })
    }

    /// Its number in the whole WAL.
    fn number(self, segment_size: u64) -> u64 {
        u64::from(self.high) * per_high(segment_size) + u64::from(self.low)
    }
}

/// The name of segment `number` of `timeline`.
pub fn name(timeline: u32, number: u64, segment_size: u64) -> String {
    let per_high = per_high(segment_size);
    format!("{timeline:08X}{:08X}{:08X}", number / per_high, number % per_high)
}

fn per_high(segment_size: u64) -> u64 {
    (1 << 32) / segment_size
}

/// As the server writes them: capitals, whole width.
fn hex(text: &str) -> Option<u32> {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if is_hex { u32::from_str_radix(text, 16).ok() } else { None }
}

impl Name {
    /// What `name` says.
    pub fn parse(name: &str) -> Self {
        let plain = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let (stem, compressed) = (plain.unwrap_or(name), plain.is_some());
        if let Some(timeline) = stem.strip_suffix(".history").filter(|text| text.len() == 8).and_then(hex) {
            return Self::History(timeline);
        }
        let Some((id, rest)) = stem.split_at_checked(24).and_then(|(id, rest)| Some((Id::parse(id)?, rest))) else {
            return Self::Other;
        };
        match rest {
            "" => Self::Segment { id, compressed },
            ".partial" => Self::Partial(id),
            _ if rest.strip_suffix(".backup").and_then(|rest| rest.strip_prefix('.')).is_some_and(is_offset) => {
                Self::Backup(id)
            }
            _ => Self::Other,
        }
    }
}

fn is_offset(text: &str) -> bool {
    text.len() == 8 && hex(text).is_some()
}

/// The parent of a timeline and the place where it branched off, from the last line of its history file.
pub fn parse_history(text: &str) -> Option<(u32, Lsn)> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut words = lines.next_back()?.split_whitespace();
    Some((words.next()?.parse().ok()?, lsn(words.next()?)?))
}

/// A segment that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which.
    pub id: Id,
    /// Its size in bytes.
    pub size: u64,
    /// Whether its size tells nothing of its content.
    pub compressed: bool,
    /// When it was last written, in seconds since 1970.
    pub mtime: i64,
}

/// What an archive holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// All segments, in any order.
    pub segments: Vec<Segment>,
    /// Each timeline whose history file is there: its parent and where it branched off; `None` where that cannot be read.
    pub histories: BTreeMap<u32, Option<(u32, Lsn)>>,
    /// Files that are none of an archive's.
    pub others: usize,
}

/// Segments that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Name of the first.
    pub first: String,
    /// Name of the last.
    pub last: String,
    /// How many.
    pub count: u64,
}

/// Where a recovery comes with what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuity {
    /// The timeline that a recovery follows: the newest.
    pub timeline: u32,
    /// Name of the first segment that is needed.
    pub first: String,
    /// Name of the last that is there.
    pub last: String,
    /// When the segment that came last was written, in seconds since 1970.
    pub newest: i64,
    /// What is missing in between.
    pub gaps: Vec<Gap>,
    /// Names of segments that are not as long as a segment is, and are needed: at most [`MOST_NAMES`].
    pub damaged: Vec<String>,
    /// How many of those there are.
    pub damaged_count: u64,
    /// Timelines whose history file is needed and missing or not readable.
    pub lost_histories: Vec<u32>,
    /// Whether the archive begins only behind what was wanted.
    pub begins_late: bool,
    /// The size of a segment.
    pub segment_size: u64,
}

/// Names that are kept of what may be many.
pub const MOST_NAMES: usize = 10;

/// Where a recovery must begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// On which timeline.
    pub timeline: u32,
    /// At which place.
    pub lsn: Lsn,
}

impl Archive {
    /// Where a recovery from `start`, or from the first segment there is, comes. `None` without a segment.
    pub fn continuity(&self, start: Option<Start>) -> Option<Continuity> {
        let size = self.segment_size();
        let timeline = self.segments.iter().map(|segment| segment.id.timeline).max()?;
        let (chain, lost_histories) = self.chain(timeline, size);
        let mut needed: BTreeMap<u64, &Segment> = BTreeMap::new();
        for segment in &self.segments {
            let number = segment.id.number(size);
            let is_on_the_way = chain.iter().any(|leg| leg.holds(segment.id.timeline, number));
            if is_on_the_way {
                needed.insert(number, segment);
            }
        }
        let wanted = start.map(|start| start.lsn / size);
        let there = *needed.keys().next()?;
        let begin = wanted.unwrap_or(there);
        let last = (*needed.keys().next_back()?).max(begin);
        let on = |number: u64| chain.iter().find(|leg| leg.from <= number).map_or(timeline, |leg| leg.timeline);
        let damaged: Vec<u64> = needed
            .range(begin..)
            .filter(|(_, segment)| if segment.compressed { segment.size == 0 } else { segment.size != size })
            .map(|(number, _)| *number)
            .collect();
        Some(Continuity {
            timeline,
            first: name(on(begin), begin, size),
            last: name(on(last), last, size),
            newest: self.segments.iter().map(|segment| segment.mtime).max()?,
            gaps: gaps(begin, last, &needed, &on, size),
            damaged_count: u64::try_from(damaged.len()).unwrap_or(u64::MAX),
            damaged: damaged.into_iter().take(MOST_NAMES).map(|number| name(on(number), number, size)).collect(),
            lost_histories,
            begins_late: wanted.is_some_and(|wanted| there > wanted),
            segment_size: size,
        })
    }

    /// The size of most segments that are not compressed; where all are, what their names allow.
    fn segment_size(&self) -> u64 {
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        for segment in self.segments.iter().filter(|segment| !segment.compressed) {
            if segment.size.is_power_of_two() && SEGMENT_SIZES.contains(&segment.size) {
                *sizes.entry(segment.size).or_default() += 1;
            }
        }
        if let Some((size, _)) = sizes.into_iter().max_by_key(|(_, count)| *count) {
            return size;
        }
        let largest = self.segments.iter().map(|segment| u64::from(segment.id.low)).max().unwrap_or(0);
        let mut size = DEFAULT_SEGMENT_SIZE;
        while size > *SEGMENT_SIZES.start() && largest >= per_high(size) {
            size /= 2;
        }
        size
    }

    /// The timelines that lead to `timeline`, it first, each with the segment that it begins with.
    fn chain(&self, timeline: u32, segment_size: u64) -> (Vec<Leg>, Vec<u32>) {
        let (mut chain, mut lost) = (Vec::new(), Vec::new());
        let (mut at, mut until) = (timeline, u64::MAX);
        loop {
            match self.histories.get(&at) {
                Some(Some((parent, branch))) if *parent < at => {
                    let from = branch / segment_size;
                    chain.push(Leg { timeline: at, from, until });
                    until = until.min(from);
                    at = *parent;
                }
                _ => {
                    // The first timeline has no history; of another it is not known what was before.
                    if at > 1 {
                        lost.push(at);
                    }
                    chain.push(Leg { timeline: at, from: 0, until });
                    return (chain, lost);
                }
            }
        }
    }
}

/// A timeline on the way of a recovery, from a segment up to another, which is not its own any more.
#[derive(Clone, Copy, Debug)]
struct Leg {
    timeline: u32,
    from: u64,
    until: u64,
}

impl Leg {
    fn holds(self, timeline: u32, number: u64) -> bool {
        self.timeline == timeline && (self.from..self.until).contains(&number)
    }
}

fn gaps(
    begin: u64,
    last: u64,
    needed: &BTreeMap<u64, &Segment>,
    on: &dyn Fn(u64) -> u32,
    segment_size: u64,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut expected = begin;
    let there = needed.range(begin..).map(|(number, _)| *number);
    for number in there.chain(std::iter::once(last.saturating_add(1))) {
        if number > expected {
            gaps.push(Gap {
                first: name(on(expected), expected, segment_size),
                last: name(on(number - 1), number - 1, segment_size),
                count: number - expected,
            });
        }
        expected = number.saturating_add(1);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(timeline: u32, numbers: impl IntoIterator<Item = u64>) -> Vec<Segment> {
        let segment = |number: u64| Segment {
            id: Id::parse(&name(timeline, number, DEFAULT_SEGMENT_SIZE)).unwrap(),
            size: DEFAULT_SEGMENT_SIZE,
            compressed: false,
            mtime: i64::try_from(number).unwrap(),
        };
        numbers.into_iter().map(segment).collect()
    }

    fn archive(segments: Vec<Segment>) -> Archive {
        Archive { segments, ..Archive::default() }
    }

    #[test]
    fn names_are_told_apart() {
        let id = Id { timeline: 1, high: 10, low: 255 };
        for (name, expected) in [
            ("000000010000000A000000FF", Name::Segment { id, compressed: false }),
            ("000000010000000A000000FF.gz", Name::Segment { id, compressed: true }),
            ("000000010000000A000000FF.zst", Name::Segment { id, compressed: true }),
            ("000000010000000A000000FF.partial", Name::Partial(id)),
            ("000000010000000A000000FF.partial.gz", Name::Partial(id)),
            ("000000010000000A000000FF.00000028.backup", Name::Backup(id)),
            ("00000002.history", Name::History(2)),
            ("00000002.history.gz", Name::History(2)),
            ("000000010000000A000000ff", Name::Other),
            ("000000010000000A000000FF.tmp", Name::Other),
            ("000000010000000A000000FF.28.backup", Name::Other),
            ("archive_status", Name::Other),
            ("ääääääääääää", Name::Other),
            ("", Name::Other),
        ] {
            assert_eq!(Name::parse(name), expected, "{name}");
        }
    }

    #[test]
    fn a_whole_archive_has_no_gap_over_a_carry() {
        let found = archive(segments(1, 250..260)).continuity(None).unwrap();
        assert_eq!(
            (found.first.as_str(), found.last.as_str()),
            ("0000000100000000000000FA", "000000010000000100000003")
        );
        assert_eq!((found.gaps, found.newest, found.begins_late), (vec![], 259, false));
    }

    #[test]
    fn gaps_are_named_and_counted() {
        let found = archive(segments(1, [1, 2, 5, 6, 8])).continuity(None).unwrap();
        let gap = |first: u64, last: u64| Gap {
            first: name(1, first, DEFAULT_SEGMENT_SIZE),
            last: name(1, last, DEFAULT_SEGMENT_SIZE),
            count: last - first + 1,
        };
        assert_eq!(found.gaps, [gap(3, 4), gap(7, 7)]);
    }

    #[test]
    fn what_is_before_a_base_backup_is_not_needed() {
        let start = |number: u64| Some(Start { timeline: 1, lsn: number * DEFAULT_SEGMENT_SIZE + 40 });
        let archive = archive(segments(1, [1, 5, 6]));
        assert_eq!(archive.continuity(start(5)).unwrap().gaps, []);
        assert_eq!(archive.continuity(start(4)).unwrap().gaps.len(), 1);
        assert!(!archive.continuity(start(4)).unwrap().begins_late);
        let behind = archive.continuity(start(9)).unwrap();
        assert_eq!(behind.gaps.iter().map(|gap| gap.count).sum::<u64>(), 1, "its own first segment is missing");
        assert!(archive.continuity(start(0)).unwrap().begins_late);
    }

    #[test]
    fn a_recovery_follows_the_newest_timeline_through_its_history() {
        let mut both = archive([segments(1, 1..8), segments(2, 5..9)].concat());
        both.histories.insert(2, Some((1, 5 * DEFAULT_SEGMENT_SIZE + 1000)));
        let found = both.continuity(None).unwrap();
        assert_eq!((found.timeline, found.gaps, found.lost_histories), (2, vec![], vec![]));
        assert_eq!((&found.first[..8], &found.last[..8]), ("00000001", "00000002"));
        both.segments.retain(|segment| segment.id != Id { timeline: 1, high: 0, low: 4 });
        assert_eq!(both.continuity(None).unwrap().gaps[0].first, "000000010000000000000004");
    }

    #[test]
    fn a_lost_history_is_told() {
        let found = archive([segments(1, 1..8), segments(2, 5..9)].concat()).continuity(None).unwrap();
        assert_eq!(found.lost_histories, [2]);
        assert_eq!(parse_history("1\t0/5000000\tno recovery target specified\n"), Some((1, 0x500_0000)));
        assert_eq!(parse_history("1\t0/3\tx\n\n2\t0/5\ty\n"), Some((2, 5)));
        assert_eq!(parse_history("# nothing\n"), None);
    }

    #[test]
    fn segments_of_another_length_are_damaged() {
        let mut cut = archive(segments(1, 1..5));
        cut.segments[2].size = 4096;
        let found = cut.continuity(None).unwrap();
        assert_eq!((found.damaged, found.damaged_count), (vec!["000000010000000000000003".to_owned()], 1));
    }

    #[test]
    fn the_size_of_a_segment_is_found_out() {
        let small = Segment { size: 1 << 20, ..segments(1, [3])[0] };
        assert_eq!(archive(vec![small]).segment_size(), 1 << 20);
        let id = Id { timeline: 1, high: 0, low: 0x3ff };
        let compressed = Segment { id, size: 500, compressed: true, mtime: 0 };
        assert_eq!(archive(vec![compressed]).segment_size(), 4 << 20);
        assert_eq!(archive(vec![]).continuity(None), None);
    }
}
