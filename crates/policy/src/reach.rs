//! Which policies never apply, because those before them match everything that they do.

use std::collections::BTreeMap;

use slawatch_event::Attribute;

use crate::Glob;

/// The conditions of a policy: per attribute the patterns of which one must match.
pub(crate) type Conditions = BTreeMap<Attribute, Vec<Glob>>;

/// Beyond so many combinations of patterns a policy is not taken apart.
const MOST_COMBINATIONS: usize = 256;

/// The places in `earlier` of the policies that together match all that `later` does, if they do; of each combination of its
/// patterns the first that matches. `None` in `earlier` stands for a policy that could not be read.
pub(crate) fn covered_by(later: &Conditions, earlier: &[Option<Conditions>]) -> Option<Vec<usize>> {
    let covers_whole = |conditions: &Option<Conditions>| {
        conditions
            .as_ref()
            .is_some_and(|conditions| covers_all(conditions, later))
    };
    if let Some(first) = earlier.iter().position(covers_whole) {
        return Some(vec![first]);
    }
    let combinations = later
        .values()
        .try_fold(1_usize, |count, globs| count.checked_mul(globs.len()))?;
    if combinations == 0 || combinations > MOST_COMBINATIONS {
        return None;
    }
    let mut covering = Vec::new();
    for combination in 0..combinations {
        let mut rest = combination;
        // One pattern per attribute: the digits of a number whose places have different bases.
        let chosen: BTreeMap<&Attribute, &Glob> = later
            .iter()
            .map(|(attribute, globs)| {
                let glob = &globs[rest % globs.len()];
                rest /= globs.len();
                (attribute, glob)
            })
            .collect();
        let first = earlier.iter().position(|conditions| {
            conditions
                .as_ref()
                .is_some_and(|conditions| covers(conditions, &chosen))
        })?;
        if !covering.contains(&first) {
            covering.push(first);
        }
    }
    covering.sort_unstable();
    Some(covering)
}

fn covers_all(earlier: &Conditions, later: &Conditions) -> bool {
    let anything = [Glob::new("*")];
    earlier.iter().all(|(attribute, globs)| {
        let special = later
            .get(attribute)
            .map_or(anything.as_slice(), Vec::as_slice);
        special
            .iter()
            .all(|special| globs.iter().any(|general| general.covers(special)))
    })
}

fn covers(earlier: &Conditions, chosen: &BTreeMap<&Attribute, &Glob>) -> bool {
    let anything = Glob::new("*");
    earlier.iter().all(|(attribute, globs)| {
        let special = chosen.get(attribute).copied().unwrap_or(&anything);
        globs.iter().any(|general| general.covers(special))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `"vendor=acme*,globex queue=refunds"`.
    fn conditions(text: &str) -> Conditions {
        let words = text.split(' ').filter(|word| !word.is_empty());
        words
            .map(|word| {
                let (name, patterns) = word.split_once('=').unwrap();
                (
                    Attribute::from_name(name).unwrap(),
                    patterns.split(',').map(Glob::new).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn what_earlier_policies_cover() {
        type Case<'a> = (&'a [&'a str], &'a str, Option<&'a [usize]>);
        let cases: [Case<'_>; 11] = [
            (&[""], "vendor=acme", Some(&[0])),
            (&["vendor=acme"], "", None),
            (&["vendor=*"], "", Some(&[0])),
            (
                &["vendor=acme*"],
                "vendor=acme-manila queue=refunds",
                Some(&[0]),
            ),
            (&["vendor=acme* queue=refunds"], "vendor=acme-manila", None),
            (
                &["queue=tech*", "vendor=acme"],
                "vendor=acme queue=tech.l1",
                Some(&[0]),
            ),
            (&["vendor=a", "vendor=b"], "vendor=a,b", Some(&[0, 1])),
            (&["vendor=a", "vendor=b"], "vendor=a,b,c", None),
            (
                &["vendor=a queue=x", "vendor=a queue=y"],
                "vendor=a queue=x,y",
                Some(&[0, 1]),
            ),
            (&["labels.tier=gold"], "labels.tier=gold,plat*", None),
            (&[], "", None),
        ];
        for (earlier, later, expected) in cases {
            let earlier: Vec<_> = earlier.iter().map(|text| Some(conditions(text))).collect();
            assert_eq!(
                covered_by(&conditions(later), &earlier).as_deref(),
                expected,
                "{later}"
            );
        }
    }

    #[test]
    fn unreadable_and_endless_ones_are_left_alone() {
        assert_eq!(covered_by(&conditions("vendor=a"), &[None]), None);
        let endless: Vec<String> = ["vendor", "queue", "priority"]
            .iter()
            .map(|name| format!("{name}={}", "a,".repeat(20)))
            .collect();
        let endless = conditions(&endless.join(" "));
        assert_eq!(
            covered_by(
                &endless,
                &[Some(conditions("vendor=a")), Some(conditions("vendor="))]
            ),
            None
        );
        assert_eq!(
            covered_by(
                &endless,
                &[Some(conditions("vendor=a")), Some(conditions(""))]
            ),
            Some(vec![1])
        );
    }
}
