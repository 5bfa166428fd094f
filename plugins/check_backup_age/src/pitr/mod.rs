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
    use super::*;

    #[test]
    fn places_in_the_wal_are_read() {
        assert_eq!(lsn("16/B374D848"), Some(0x16_b374_d848));
        assert_eq!(lsn("0/2000028"), Some(0x200_0028));
        for bad in ["", "/", "1/", "0/+1", "0/123456789", "0/x", "12"] {
            assert_eq!(lsn(bad), None, "{bad}");
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
