//! Tells which policies never apply.

use std::ops::Range;

use crate::Glob;
use crate::diagnostics::{Diagnostic, Severity};
use crate::draft::PolicyDraft;
use crate::reach::{Conditions, Earlier};
use crate::slips::Slips;
use crate::source::Source;

/// A warning for each policy that those before it leave nothing. A mistake of its own hides that of no policy; but a policy
/// whose own conditions cannot be read in full leaves everything to those after it.
pub(crate) fn check(
    source: &Source<'_>,
    policies: &[PolicyDraft],
    slips: &Slips<'_>,
) -> Vec<Diagnostic> {
    let conditions: Vec<Conditions> = policies.iter().map(conditions_at_most).collect();
    let mut earlier = Earlier::among(conditions.iter());
    let mut found = Vec::new();
    for (place, (policy, conditions)) in policies.iter().zip(conditions).enumerate() {
        let touched = slips.touch(&policy.header);
        let covering = if touched {
            earlier.match_all().map(|first| vec![first])
        } else {
            earlier.covering(&conditions)
        };
        if let Some(covering) = covering {
            let before: Vec<&PolicyDraft> = covering.iter().map(|&at| &policies[at]).collect();
            let match_all = earlier.match_all().is_some();
            found.push(never_applies(source, policy, &before, match_all));
        } else if policy.conditions_complete && !touched {
            // One that never applies leaves nothing out that those before it do not.
            earlier.push(place, conditions);
        }
    }
    found
}

/// What a policy can match at most: a condition that cannot be read might be anything.
fn conditions_at_most(policy: &PolicyDraft) -> Conditions {
    let readable = policy
        .conditions
        .iter()
        .filter(|condition| condition.complete);
    Conditions::new(readable.map(|condition| {
        let patterns = condition.patterns.iter();
        let globs = patterns.map(|pattern| Glob::new(&pattern.value)).collect();
        (condition.attribute.value.clone(), globs)
    }))
}

fn never_applies(
    source: &Source<'_>,
    policy: &PolicyDraft,
    before: &[&PolicyDraft],
    match_all: bool,
) -> Diagnostic {
    let (span, it) = match &policy.name {
        Some(name) if !name.value.trim().is_empty() => {
            (&name.span, format!("the policy \"{}\"", name.value))
        }
        Some(_) | None => (&policy.header, "this policy".to_owned()),
    };
    let names: Vec<String> = before.iter().map(|policy| named(source, policy)).collect();
    let names = names.join(" and ");
    let what = if match_all {
        "everything"
    } else {
        "all that this one does"
    };
    let (come, above, narrow) = match before {
        [_] => ("comes first and matches", "that one", "that one matches"),
        _ => ("come first and together match", "them", "they match"),
    };
    Diagnostic::new(
        Severity::Warning,
        source,
        span,
        format!("{it} never applies: {names} {come} {what}"),
        format!("move it above {above}, or narrow what {narrow}"),
    )
}

fn named(source: &Source<'_>, policy: &PolicyDraft) -> String {
    let line = |span: &Range<usize>| source.position(span.start).line;
    match &policy.name {
        Some(name) => format!("\"{}\" (line {})", name.value, line(&name.span)),
        None => format!("the one on line {}", line(&policy.header)),
    }
}
