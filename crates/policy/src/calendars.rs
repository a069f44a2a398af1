//! The calendars of a file that is no policy file: read, checked and told of as those of policies are.

use std::ops::Range;
use std::sync::Arc;

use slawatch_calendar::Calendar;
use toml::de::DeTable;

use crate::build::Calendars;
use crate::diagnostics::{Diagnostic, Severity};
use crate::slips::Slips;
use crate::source::Source;
use crate::{cross, draft, shape};

/// A calendar and what its file calls it.
#[derive(Clone, Debug)]
pub struct NamedCalendar {
    /// Unique in its file.
    pub name: String,
    /// Where the name stands.
    pub at: Range<usize>,
    /// The hours.
    pub calendar: Arc<Calendar>,
}

/// The `[[calendar]]` tables of a file that is TOML everywhere, and everything that is wrong with them. One with an error is
/// left out.
pub fn calendars(source: &Source<'_>, root: &DeTable<'_>) -> (Vec<NamedCalendar>, Vec<Diagnostic>) {
    let file = draft::read_calendars(source, root);
    let slips = Slips::new(source, Vec::new(), &file);
    let mut found = shape::check_calendars(source, root, &slips);
    found.extend(cross::check_calendars(source, &file, &slips));
    if found.iter().any(|one| one.severity == Severity::Error) {
        return (Vec::new(), found);
    }
    let mut made = Calendars::default();
    let named = file.calendars.iter().filter_map(|calendar| {
        let name = calendar.name.as_ref()?;
        Some(NamedCalendar {
            name: name.value.clone(),
            at: name.span.clone(),
            calendar: made.get(calendar)?,
        })
    });
    (named.collect(), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<NamedCalendar>, Vec<String>) {
        let source = Source::new("rules.toml", text);
        let root = DeTable::parse(text).expect("TOML");
        let (named, found) = calendars(&source, root.get_ref());
        let told = found
            .iter()
            .map(|one| format!("{} {}: {}", one.line, one.message, one.help));
        (named, told.collect())
    }

    #[test]
    fn calendars_of_another_file_are_those_of_policies() {
        let (named, found) = read(
            "[[calendar]]\nname = \"manila\"\ntimezone = \"Asia/Manila\"\nhours = { mon-fri = [\"09:00-17:00\"] }\n\n[[rule]]\nname = \"r\"\n",
        );
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(named.len(), 1);
        assert_eq!(
            (named[0].name.as_str(), named[0].at.clone()),
            ("manila", 20..28)
        );
        // Monday 2026-01-05, 09:00 in Manila.
        assert!(named[0].calendar.is_open(1_767_574_800_000));
        assert!(!named[0].calendar.is_open(1_767_574_799_999));
    }

    #[test]
    fn mistakes_are_told_as_those_of_policies() {
        let cases = [
            (
                "[[calendar]]\nname = \"a\"\ntimezone = \"Asia/Manilla\"\nhours = { mon = [\"09:00-17:00\"] }",
                vec!["3 unknown time zone \"Asia/Manilla\": write \"Asia/Manila\""],
            ),
            (
                "[[calendar]]\nname = \"a\"\ntimezone = \"UTC\"\nhour = { mon = [\"09:00-17:00\"] }",
                vec![
                    "4 unknown key \"hour\" in [[calendar]]: write hours",
                    "2 the calendar \"a\" is never open: no clock under it ever runs: write its hours, such as hours = { mon-fri = [\"09:00-17:00\"] }",
                ],
            ),
            (
                "[calendar]\nname = \"a\"",
                vec![
                    "1 calendar takes a table under its own header, and this is a table: write [[calendar]] on a line of its own, and its keys below",
                ],
            ),
            (
                "[[calendar]]\nname = \"a\"\ntimezone = \"UTC\"\nhours = { mon = [\"09:00-17:00\"] }\n[[calendar]]\nname = \"a\"\ntimezone = \"UTC\"\nhours = { mon = [\"09:00-17:00\"] }",
                vec![
                    "6 another [[calendar]] is called \"a\" already, on line 2: write another name, or remove one of the two",
                ],
            ),
        ];
        for (text, expected) in cases {
            let (named, found) = read(text);
            assert_eq!(found, expected, "{text}");
            assert!(named.is_empty(), "{text}");
        }
    }
}
