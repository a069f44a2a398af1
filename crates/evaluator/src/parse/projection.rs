//! Projection rules of a rules file.

use super::section::Section;
use super::{contract, level, threshold};
use crate::kinds::projection::Projection;
use crate::measure::Unit;
use crate::watch::Watch;
use crate::wording;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &[
    contract::KEYS[0],
    contract::KEYS[1],
    contract::KEYS[2],
    contract::KEYS[3],
    "needs",
    "on",
    "min_samples",
];

const DEFAULT_NEEDS: f64 = 0.95;
const DEFAULT_MIN_SAMPLES: i64 = 30;

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Watch> {
    let contract = contract::read(section);
    let min_samples = threshold::min_samples(section, DEFAULT_MIN_SAMPLES);
    let on = match section.get("on") {
        None => vec!["at_risk".to_owned(), "lost".to_owned()],
        Some(_) => section.words("on", &["at_risk", "lost"])?,
    };
    let needs = match section.get("needs") {
        None => None,
        Some(_) => Some(level::read(section, "needs", Unit::Rate)?),
    };
    let contract = contract?;
    let asked = 1.0 - contract.allowed();
    // Of a target so high that the default would ask less than the contract does anyway: halfway to all.
    let default = DEFAULT_NEEDS.max((1.0 + asked) / 2.0);
    if let Some(needs) = needs
        .as_ref()
        .filter(|needs| needs.value <= asked || needs.value > 1.0)
    {
        let asked = wording::level(Unit::Rate, asked);
        section.error(
            &needs.span,
            format!("the contract asks {asked} of every contact anyway, so that is no risk"),
            format!(
                "write a share above {asked}, such as \"{:.0}%\"",
                default * 100.0
            ),
        );
        return None;
    }
    Some(Watch::Projection(Projection {
        contract,
        needs: needs.map_or(default, |needs| needs.value),
        min_samples: min_samples?,
        on_at_risk: on.iter().any(|word| word == "at_risk"),
        on_lost: on.iter().any(|word| word == "lost"),
    }))
}
