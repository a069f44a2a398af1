//! Instants and lengths of time as people argue about them: local and UTC, to the second, or finer where it matters.

use slawatch_calendar::Calendar;
use slawatch_event::format_instant;
use slawatch_policy::PolicySets;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MS: i64 = 86_400_000;

/// The calendar of a policy in the set that is in force from an instant on.
pub(super) fn calendar<'a>(
    sets: &'a PolicySets,
    policy_set_ms: Option<i64>,
    policy: Option<&str>,
) -> Option<&'a Calendar> {
    let set = sets
        .sets()
        .iter()
        .find(|set| Some(set.effective_from_ms) == policy_set_ms)?;
    let policy = set
        .policies
        .iter()
        .find(|known| Some(known.name.as_str()) == policy)?;
    policy.calendar.as_deref()
}

/// `Fri 2026-01-09 16:30:00 +08:00`, in the calendar's zone; UTC without one.
pub(super) fn local(at_ms: i64, calendar: Option<&Calendar>) -> String {
    let offset_s = calendar.map_or(0, |calendar| calendar.utc_offset_s(at_ms));
    let local_ms = at_ms.saturating_add(i64::from(offset_s) * 1000);
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS[(local_ms.div_euclid(DAY_MS) + 3).rem_euclid(7) as usize];
    let (date, time) = date_and_time(local_ms);
    format!("{weekday} {date} {time} {}", offset(offset_s))
}

/// `2026-01-09T16:30:00.000+08:00`.
pub(super) fn local_rfc3339(at_ms: i64, calendar: &Calendar) -> String {
    let offset_s = calendar.utc_offset_s(at_ms);
    let local = format_instant(at_ms.saturating_add(i64::from(offset_s) * 1000));
    format!("{}{}", local.trim_end_matches('Z'), offset(offset_s))
}

/// `2026-01-09 08:30:00Z`.
pub(super) fn utc(at_ms: i64) -> String {
    let (date, time) = date_and_time(at_ms);
    format!("{date} {time}Z")
}

/// `Fri 2026-01-09 16:30:00 +08:00 (08:30:00Z)`; where both are the same, `Fri 2026-01-09 08:30:00Z`.
pub(super) fn both(at_ms: i64, calendar: Option<&Calendar>) -> String {
    let local = local(at_ms, calendar);
    let (local_date, _) = local.split_at("Fri 2026-01-09".len());
    match local.strip_suffix(" +00:00") {
        Some(plain) => format!("{plain}Z"),
        None => {
            let (date, time) = date_and_time(at_ms);
            if local_date.ends_with(&date) {
                format!("{local} ({time}Z)")
            } else {
                format!("{local} ({date} {time}Z)")
            }
        }
    }
}

fn date_and_time(at_ms: i64) -> (String, String) {
    let text = format_instant(at_ms);
    let plain = text.trim_end_matches('Z');
    let (date, time) = plain.split_once('T').unwrap_or((plain, ""));
    let time = time.strip_suffix(".000").unwrap_or(time);
    (date.to_owned(), time.to_owned())
}

fn offset(offset_s: i32) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let minutes = offset_s.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `36h`, `1h30m`, `12.345s`, `0s`.
pub(super) fn length(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, rest_ms) = (ms / 1000 % 60, ms % 1000);
    let mut text = sign.to_owned();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if minutes > 0 {
        text += &format!("{minutes}m");
    }
    if rest_ms > 0 {
        text += &format!("{seconds}.{rest_ms:03}s");
    } else if seconds > 0 || ms == 0 {
        text += &format!("{seconds}s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use slawatch_calendar::CalendarSpec;

    #[test]
    fn instants_are_local_and_utc() {
        let manila = Calendar::new(&CalendarSpec::in_zone("Asia/Manila")).unwrap();
        let new_york = Calendar::new(&CalendarSpec::in_zone("America/New_York")).unwrap();
        let at_ms = 1_767_947_400_000;
        assert_eq!(
            both(at_ms, Some(&manila)),
            "Fri 2026-01-09 16:30:00 +08:00 (08:30:00Z)"
        );
        assert_eq!(
            both(at_ms + 28_800_001, Some(&manila)),
            "Sat 2026-01-10 00:30:00.001 +08:00 (2026-01-09 16:30:00.001Z)"
        );
        assert_eq!(
            local(at_ms, Some(&new_york)),
            "Fri 2026-01-09 03:30:00 -05:00"
        );
        assert_eq!(both(at_ms, None), "Fri 2026-01-09 08:30:00Z");
        assert_eq!(
            local_rfc3339(at_ms, &manila),
            "2026-01-09T16:30:00.000+08:00"
        );
    }

    #[test]
    fn lengths_are_as_short_as_they_are_exact() {
        for (ms, expected) in [
            (0, "0s"),
            (1, "0.001s"),
            (5_000, "5s"),
            (90_000, "1m30s"),
            (5_400_000, "1h30m"),
            (129_600_000, "36h"),
            (3_600_250, "1h0.250s"),
            (-60_000, "-1m"),
        ] {
            assert_eq!(length(ms), expected);
        }
    }
}
