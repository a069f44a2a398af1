//! The plain values of a policy file: reading each from its text, or saying what is wrong with it.

use std::ops::Range;

use jiff::civil::Date;
use slawatch_calendar::{Span, is_time_zone, time_zone_names};
use slawatch_event::{Attribute, parse_instant};
use toml::de::DeValue;

use crate::duration::{DurationError, parse_duration_ms, suggestion};
use crate::keys::Leaf;
use crate::nearest::nearest;
use crate::{Metric, WarnLevel};

/// What is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

pub(crate) type Read<T> = Result<T, Mistake>;

fn mistake<T>(message: impl Into<String>, help: impl Into<String>) -> Read<T> {
    Err(Mistake {
        message: message.into(),
        help: help.into(),
    })
}

/// Finds what is wrong with a plain value; `None` if its TOML type already is.
pub(crate) fn check(leaf: Leaf, value: &DeValue<'_>) -> Option<Read<()>> {
    Some(match (leaf, value) {
        (Leaf::Instant, DeValue::Datetime(written)) => instant(&written.to_string()).map(drop),
        (Leaf::Date, DeValue::Datetime(written)) => date(&written.to_string()).map(drop),
        (Leaf::WarnLevel, DeValue::Float(written)) => fraction(written.as_str()).map(drop),
        (Leaf::WarnLevel, DeValue::Integer(written)) => fraction(written.as_str()).map(drop),
        (_, DeValue::String(text)) => check_text(leaf, text),
        _ => return None,
    })
}

fn check_text(leaf: Leaf, text: &str) -> Read<()> {
    match leaf {
        Leaf::Instant => instant(text).map(drop),
        Leaf::Name if text.trim().is_empty() => mistake(
            "the name is empty",
            "write a name by which it can be told apart",
        ),
        Leaf::Name | Leaf::CalendarName | Leaf::Glob => Ok(()),
        Leaf::TimeZone => time_zone(text),
        Leaf::Duration => duration_ms(text).map(drop),
        Leaf::Target => target_ms(text).map(drop),
        Leaf::Date => date(text).map(drop),
        Leaf::Span => span(text).map(drop),
        Leaf::OneOf(names) => one_of(text, &names()),
        Leaf::WarnLevel => time_left(text).map(drop),
    }
}

pub(crate) fn instant(text: &str) -> Read<i64> {
    match parse_instant(text) {
        Some(instant_ms) => Ok(instant_ms),
        None => mistake(
            format!("\"{text}\" is no instant with an offset from UTC"),
            "write date, time and offset, such as \"2026-01-01T00:00:00Z\" or \"2026-01-01T08:00:00+08:00\"",
        ),
    }
}

/// Whether a text is a time zone's name.
///
/// # Errors
/// What to write instead.
pub fn time_zone(text: &str) -> Result<(), Mistake> {
    if is_time_zone(text) {
        return Ok(());
    }
    let names = time_zone_names();
    let city = |name: &str| {
        name.rsplit('/')
            .next()
            .is_some_and(|city| city.eq_ignore_ascii_case(&text.replace(' ', "_")))
    };
    let meant = names.iter().find(|name| city(name)).map(String::as_str);
    // Abbreviations are all near to each other, and name other zones.
    let slip = || (text.len() >= 5).then(|| nearest(text, names.iter().map(String::as_str)))?;
    let help = match meant.or_else(slip) {
        Some(name) => format!("write \"{name}\""),
        None => "write a name of the IANA time zone database, such as \"Asia/Manila\" or \"Europe/Berlin\"".to_owned(),
    };
    mistake(format!("unknown time zone \"{text}\""), help)
}

/// The milliseconds of a duration such as `1h30m`.
///
/// # Errors
/// What is wrong with the text, and what was probably meant.
pub fn duration_ms(text: &str) -> Result<i64, Mistake> {
    parse_duration_ms(text).or_else(|error| {
        let help = match (&error, suggestion(text)) {
            (DurationError::Calendrical(_), Some(hours)) => {
                format!("write \"{hours}\" for that much business time, or the hours of as many business days")
            }
            (DurationError::NoUnit, _) => units_of(text),
            (_, Some(meant)) => format!("write \"{meant}\""),
            (_, None) => "write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"".to_owned(),
        };
        mistake(format!("\"{text}\": {error}"), help)
    })
}

/// What to write for a number without a unit.
pub(crate) fn units_of(number: &str) -> String {
    format!("write \"{number}m\" for minutes, \"{number}s\" for seconds or \"{number}h\" for hours")
}

pub(crate) fn target_ms(text: &str) -> Read<i64> {
    match duration_ms(text)? {
        0 => mistake(
            format!("\"{text}\": a target must be more than nothing"),
            "write at least \"1s\", or leave the target out",
        ),
        ms => Ok(ms),
    }
}

pub(crate) fn date(text: &str) -> Read<Date> {
    const HELP: &str = "write year, month and day, such as \"2026-12-25\"";
    let well_formed = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if !well_formed {
        return mistake(format!("\"{text}\" is no date"), HELP);
    }
    match text.parse::<Date>() {
        Ok(date) if date.year() >= 1 => Ok(date),
        Ok(_) | Err(_) => mistake(
            format!("there is no day \"{text}\""),
            "write a day that the calendar has",
        ),
    }
}

pub(crate) fn span(text: &str) -> Read<Span> {
    let Some((start_minute, end_minute)) = text
        .split_once('-')
        .and_then(|(start, end)| Some((minute(start)?, minute(end)?)))
    else {
        return mistake(
            format!("\"{text}\" is no span of a day"),
            match span_suggestion(text) {
                Some(meant) => format!("write \"{meant}\""),
                None => {
                    "write two times of day from 00:00 to 24:00, such as \"09:00-17:30\"".to_owned()
                }
            },
        );
    };
    let span = Span {
        start_minute,
        end_minute,
    };
    if end_minute == 0 && start_minute > 0 {
        return mistake(
            format!("the span \"{text}\" ends before it starts"),
            format!("write \"{}-24:00\" for the end of the day", &text[..5]),
        );
    }
    if end_minute == start_minute {
        return mistake(
            format!("the span \"{text}\" is empty"),
            "leave it out, or write \"00:00-24:00\" for the whole day",
        );
    }
    if end_minute < start_minute {
        return mistake(
            format!("the span \"{text}\" crosses midnight"),
            format!(
                "write \"{}-24:00\", and \"00:00-{}\" on the next day",
                &text[..5],
                &text[6..]
            ),
        );
    }
    Ok(span)
}

/// `09:00` to `24:00`, of exactly that form.
fn minute(text: &str) -> Option<u16> {
    let [h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let (hour, minute) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
    (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

/// The span of a text like `9:00 – 17:00` or `9-17`.
fn span_suggestion(text: &str) -> Option<String> {
    let plain = text
        .replace(['–', '—'], "-")
        .replace(" to ", "-")
        .replace(char::is_whitespace, "")
        .replace('.', ":");
    let time = |text: &str| -> Option<String> {
        let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
        let padded = format!("{hour:0>2}:{minute}");
        self::minute(&padded).map(|_| padded)
    };
    let (start, end) = plain.split_once('-')?;
    let meant = format!("{}-{}", time(start)?, time(end)?);
    (meant != text).then_some(meant)
}

fn one_of(text: &str, names: &[&'static str]) -> Read<()> {
    if names.contains(&text) {
        return Ok(());
    }
    mistake(
        format!("\"{text}\" is none of {}", list(names)),
        match nearest(text, names.iter().copied()) {
            Some(name) => format!("write \"{name}\""),
            None => "write one of these".to_owned(),
        },
    )
}

fn fraction(text: &str) -> Read<WarnLevel> {
    match WarnLevel::fraction(text) {
        Some(level) => Ok(level),
        None => mistake(format!("{text} is no fraction of the target between 0 and 1"), match text.parse::<u8>() {
            Ok(percent @ 1..=99) => format!("write {} for {percent} %", format!("0.{percent:02}").trim_end_matches('0')),
            _ => "write a decimal such as 0.8, of at most nine digits, or the time left, such as \"15m\"".to_owned(),
        }),
    }
}

fn time_left(text: &str) -> Read<WarnLevel> {
    match duration_ms(text)? {
        0 => mistake(
            format!("\"{text}\": with no time left the target is missed already"),
            "write how long before, such as \"15m\"",
        ),
        ms => Ok(WarnLevel::TimeLeft {
            ms,
            text: text.to_owned(),
        }),
    }
}

/// A level as `warn_at` knows it, written as text: `0.8` or `15m`.
///
/// # Errors
/// What is wrong with the text, and what was probably meant.
pub fn read_warn_level(text: &str) -> Result<WarnLevel, Mistake> {
    if text.parse::<f64>().is_ok() {
        fraction(text)
    } else {
        time_left(text)
    }
}

pub(crate) fn warn_level(value: &DeValue<'_>) -> Option<WarnLevel> {
    match value {
        DeValue::Float(written) => fraction(written.as_str()).ok(),
        DeValue::String(text) => time_left(text).ok(),
        _ => None,
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The weekdays of a key such as `mon-fri`, `sat-mon` or `sun`; 0 is Monday.
pub(crate) fn weekdays(key: &str) -> Read<Vec<usize>> {
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let first = weekday(key, first)?;
    let last = weekday(key, last)?;
    let count = (last + 7 - first) % 7 + 1;
    Ok((first..first + count).map(|day| day % 7).collect())
}

fn weekday(key: &str, name: &str) -> Read<usize> {
    if let Some(day) = WEEKDAYS.iter().position(|known| *known == name) {
        return Ok(day);
    }
    let start: String = name.trim().to_lowercase().chars().take(3).collect();
    let meant = WEEKDAYS
        .into_iter()
        .find(|known| *known == start)
        .or_else(|| nearest(name, WEEKDAYS));
    let place = if name == key {
        String::new()
    } else {
        format!(" in \"{key}\"")
    };
    mistake(
        format!("unknown weekday \"{name}\"{place}"),
        match meant {
            Some(day) => format!("write \"{day}\""),
            None => "write a day or a range of days, such as mon, mon-fri or sat-sun".to_owned(),
        },
    )
}

pub(crate) fn weekday_name(day: usize) -> &'static str {
    WEEKDAYS[day % 7]
}

/// The attribute that a match names so, as events and rows call it.
///
/// # Errors
/// What to write instead.
pub fn attribute_name(key: &str) -> Result<String, Mistake> {
    attribute(key).map(|attribute| attribute.to_string())
}

pub(crate) fn attribute(key: &str) -> Read<Attribute> {
    if let Some(attribute) = Attribute::from_name(key) {
        return Ok(attribute);
    }
    let names = Attribute::NAMED.map(|attribute| attribute.name());
    mistake(
        format!("a ticket has no attribute \"{key}\""),
        match nearest(key, names) {
            Some(name) => format!("write \"{name}\"; a label is written \"labels.{key}\""),
            None => format!(
                "write one of {}, or \"labels.NAME\" for a label",
                list(&names)
            ),
        },
    )
}

pub(crate) fn metric(key: &str) -> Read<Metric> {
    match Metric::from_name(key) {
        Some(metric) => Ok(metric),
        None => {
            let names = crate::keys::metrics();
            mistake(
                format!("unknown metric \"{key}\""),
                match nearest(key, names.iter().copied()) {
                    Some(name) => format!("write \"{name}\""),
                    None => format!("write one of {}", list(&names)),
                },
            )
        }
    }
}

/// A priority's name is free; only a slip for `default` is told, as it would silently leave the others without a target.
pub(crate) fn priority(key: &str) -> Read<()> {
    match nearest(key, ["default"]) {
        Some(meant) if key != meant => mistake(
            format!(
                "\"{key}\" is read as a priority of that name, and looks like a slip of \"{meant}\""
            ),
            format!("write \"{meant}\""),
        ),
        Some(_) | None => Ok(()),
    }
}

pub(crate) fn list(names: &[&str]) -> String {
    names.join(", ")
}

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}
