//! Point-in-time recovery: what a WAL archive and a base backup hold. Pure, as `parse` is.

pub mod backup_label;
pub mod manifest;
pub mod wal;

/// A place in the WAL, in bytes from its beginning.
pub type Lsn = u64;

/// Reads `16/B374D848`.
pub fn lsn(text: &str) -> Option<Lsn> {
    let (high, low) = text.split_once('/')?;
    let part = |text: &str| {
        let is_hex = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex { u64::from_str_radix(text, 16).ok() } else { None }
    };
    Some(part(high)? << 32 | part(low)?)
}

/// Seconds since 1970 of `2026-11-25 02:00:00 GMT`, as the server writes times whose zone it knows.
pub fn utc(text: &str) -> Option<i64> {
    let (time, zone) = text.trim().rsplit_once(' ')?;
    if !matches!(zone, "GMT" | "UTC") {
        return None;
    }
    let time: jiff::civil::DateTime = time.parse().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_in_the_wal_are_read() {
        assert_eq!(lsn("16/B374D848"), Some(0x16_b374_d848));
        assert_eq!(lsn("0/2000028"), Some(0x200_0028));
        for bad in ["", "/", "1/", "0/+1", "0/123456789", "0/x", "12"] {
            assert_eq!(lsn(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let _ = (lsn(&text), utc(&text), wal::Name::parse(&text), wal::parse_history(&text), backup_label::parse(&text));
            prop_assert!(manifest::read(&mut bytes.as_slice(), |_| ()).is_err());
            prop_assert!(crate::rows::count(&mut bytes.as_slice()).is_ok());
        }

        #[test]
        fn any_archive_is_followed_to_its_end(
            segments in proptest::collection::vec((any::<(u32, u32, u32)>(), any::<(u64, bool, i64)>()), 0..20),
            histories in proptest::collection::btree_map(any::<u32>(), any::<Option<(u32, u64)>>(), 0..5),
            start in any::<Option<(u32, u64)>>(),
        ) {
            let segment = |((timeline, high, low), (size, compressed, mtime))| {
                wal::Segment { id: wal::Id { timeline, high, low }, size, compressed, mtime }
            };
            let segments: Vec<wal::Segment> = segments.into_iter().map(segment).collect();
            let is_empty = segments.is_empty();
            let archive = wal::Archive { segments, histories, others: 0 };
            let found = archive.continuity(start.map(|(timeline, lsn)| wal::Start { timeline, lsn }));
            prop_assert!(found.is_some() || is_empty || !archive.histories.is_empty());
        }
    }

    #[test]
    fn only_times_whose_zone_is_plain_are_read() {
        assert_eq!(utc("2026-11-25 02:00:00 GMT"), Some(1_795_572_000));
        assert_eq!(utc("2026-11-25 02:00:00 UTC"), Some(1_795_572_000));
        assert_eq!(utc("2026-11-25 02:00:00 CET"), None);
        assert_eq!(utc("2026-13-25 02:00:00 GMT"), None);
        assert_eq!(utc("GMT"), None);
    }
}
