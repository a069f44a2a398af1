//! What every rule about groups has, whatever it watches.

use super::level;
use super::section::Section;
use crate::rule::{About, Group, GroupRule};
use crate::watch::Watch;

/// `None` only where an error was noted.
pub(super) fn read(
    section: &mut Section<'_>,
    about: Option<About>,
    watch: fn(&mut Section<'_>) -> Option<Watch>,
) -> Option<GroupRule> {
    let group = group(section);
    let for_ms = section.duration_ms("for").map_or(0, |time| time.value);
    let keep_firing_for_ms = section
        .duration_ms("keep_firing_for")
        .map_or(0, |time| time.value);
    let mut watch = watch(section)?;
    let worse_by = worse_by(section, &watch);
    let about = about?;
    watch.keep_time_of(&about.timezone);
    Some(GroupRule {
        about,
        group: group?,
        for_ms,
        keep_firing_for_ms,
        worse_by,
        watch,
    })
}

/// A difference of what is watched, larger than nothing.
fn worse_by(section: &mut Section<'_>, watch: &Watch) -> Option<f64> {
    let worse_by = level::optional(section, "worse_by", watch.unit())?;
    if worse_by.value > 0.0 {
        return Some(worse_by.value);
    }
    section.error(
        &worse_by.span,
        "worse_by is nothing, so an acknowledged alert would fire again at once",
        format!(
            "write how much worse, such as {}",
            level::example(watch.unit())
        ),
    );
    None
}

fn group(section: &mut Section<'_>) -> Option<Group> {
    section.required_value("by", "[\"vendor\", \"queue\"]")?;
    let by = section.words("by", &["vendor", "queue"])?;
    let has = |word: &str| by.iter().any(|known| known == word);
    match (has("vendor"), has("queue")) {
        (true, true) => Some(Group::VendorQueue),
        (true, false) => Some(Group::Vendor),
        (false, _) => {
            if let Some(span) = section.get("by").map(|value| value.span()) {
                section.error(
                    &span,
                    "by does not contain vendor, and an alert always is about one",
                    "write [\"vendor\"] or [\"vendor\", \"queue\"]",
                );
            }
            None
        }
    }
}
