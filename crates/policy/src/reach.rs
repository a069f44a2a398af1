//! Which policies never apply, because those before them match everything that they do. Names and lines are not its business.

use std::collections::{BTreeMap, BTreeSet};

use slawatch_event::{Attribute, Status};

use crate::Glob;

/// Beyond so many combinations of patterns a policy is not taken apart.
const MOST_COMBINATIONS: usize = 256;

/// The conditions of a policy: per attribute the patterns of which one must match. Those that anything fulfils are left out, and
/// of the status, whose values are known, there are the names that match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    patterns: BTreeMap<Attribute, Vec<Glob>>,
}

impl Conditions {
    pub(crate) fn new(written: impl IntoIterator<Item = (Attribute, Vec<Glob>)>) -> Self {
        let mut patterns = BTreeMap::new();
        for (attribute, globs) in written {
            if globs.iter().any(Glob::is_anything) {
                continue;
            }
            let globs = if attribute == Attribute::Status {
                statuses(&globs)
            } else {
                globs
            };
            if attribute != Attribute::Status || globs.len() < Status::ALL.len() {
                patterns.insert(attribute, globs);
            }
        }
        Self { patterns }
    }

    /// Whether every ticket fulfils them.
    pub(crate) fn match_all(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether they hold wherever `chosen`, one pattern per attribute, does.
    fn cover(&self, chosen: &Chosen<'_>) -> bool {
        self.patterns.iter().all(|(attribute, globs)| {
            let special = chosen.get(attribute);
            special.is_some_and(|special| globs.iter().any(|general| general.covers(special)))
        })
    }

    /// Whether they hold wherever `later` do.
    fn cover_all(&self, later: &BTreeMap<&Attribute, &[Glob]>) -> bool {
        self.patterns.iter().all(|(attribute, globs)| {
            let special = later.get(attribute);
            special.is_some_and(|special| {
                special
                    .iter()
                    .all(|special| globs.iter().any(|general| general.covers(special)))
            })
        })
    }
}

type Index = BTreeMap<Attribute, BTreeMap<Box<str>, Vec<usize>>>;

/// One pattern per attribute.
type Chosen<'a> = BTreeMap<&'a Attribute, &'a Glob>;

/// The names that match any of the patterns.
fn statuses(globs: &[Glob]) -> Vec<Glob> {
    let names = Status::ALL.into_iter().map(Status::name);
    names
        .filter(|name| globs.iter().any(|glob| glob.matches(name)))
        .map(Glob::new)
        .collect()
}

/// Policies that come first, found by what a pattern of theirs begins or ends with, so that a file of thousands is checked
/// without holding each policy against each.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    policies: Vec<(usize, Conditions)>,
    /// Places in `policies`, by an attribute and one of its patterns that have no star.
    by_text: Index,
    /// The same for patterns with stars, by what they begin with.
    by_prefix: Index,
    /// The same for those that begin with a star, by what they end with.
    by_suffix: Index,
    /// Those that neither finds.
    others: Vec<usize>,
    /// How often each beginning of a pattern stands in the file: the rarer, the fewer policies it finds.
    frequencies: BTreeMap<(Attribute, Box<str>), usize>,
    /// All statuses, where a policy that says nothing of them is taken apart by them.
    statuses: Option<Vec<Glob>>,
    /// How many policies were held against another's combination.
    #[cfg(test)]
    compared: std::cell::Cell<usize>,
}

impl Earlier {
    /// For a file with all these policies; none of them has come yet.
    pub(crate) fn among<'a>(all: impl Iterator<Item = &'a Conditions>) -> Self {
        let mut earlier = Self::default();
        for conditions in all {
            for (attribute, globs) in &conditions.patterns {
                if *attribute == Attribute::Status {
                    earlier.statuses = Some(statuses(&[Glob::new("*")]));
                }
                for glob in globs {
                    let beginning = (attribute.clone(), Box::from(glob.prefix()));
                    *earlier.frequencies.entry(beginning).or_default() += 1;
                }
            }
        }
        earlier
    }

    /// The next policy of the file; `place` is its own number there.
    pub(crate) fn push(&mut self, place: usize, conditions: Conditions) {
        let at = self.policies.len();
        let rarity = |attribute: &Attribute, globs: &[Glob]| -> usize {
            let frequency = |glob: &Glob| {
                let beginning = (attribute.clone(), Box::from(glob.prefix()));
                self.frequencies.get(&beginning).copied().unwrap_or(0)
            };
            globs.iter().map(frequency).sum()
        };
        // A policy can match only where each of its attributes does, so that one of them is enough to find it by.
        let by = conditions
            .patterns
            .iter()
            .filter(|(_, globs)| {
                globs.iter().all(|glob| {
                    glob.is_text() || !glob.prefix().is_empty() || !glob.suffix().is_empty()
                })
            })
            .min_by_key(|(attribute, globs)| rarity(attribute, globs));
        match by {
            None => self.others.push(at),
            Some((attribute, globs)) => {
                for glob in globs {
                    let (index, end) = match glob.prefix() {
                        text if glob.is_text() => (&mut self.by_text, text),
                        "" => (&mut self.by_suffix, glob.suffix()),
                        prefix => (&mut self.by_prefix, prefix),
                    };
                    let places = index.entry(attribute.clone()).or_default();
                    places.entry(end.into()).or_default().push(at);
                }
            }
        }
        self.policies.push((place, conditions));
    }

    /// The first policy that matches everything.
    pub(crate) fn match_all(&self) -> Option<usize> {
        let of_all = |&&at: &&usize| self.policies[at].1.match_all();
        self.others
            .iter()
            .find(of_all)
            .map(|&at| self.policies[at].0)
    }

    /// The numbers of the policies that together match all that `later` does, if they do; of each combination of its patterns
    /// the first that matches.
    pub(crate) fn covering(&self, later: &Conditions) -> Option<Vec<usize>> {
        if let Some(first) = self.match_all() {
            return Some(vec![first]);
        }
        let mut patterns: BTreeMap<&Attribute, &[Glob]> = later
            .patterns
            .iter()
            .map(|(attribute, globs)| (attribute, globs.as_slice()))
            .collect();
        let most = if let Some(statuses) = &self.statuses
            && !patterns.contains_key(&Attribute::Status)
        {
            patterns.insert(&Attribute::Status, statuses);
            MOST_COMBINATIONS * statuses.len()
        } else {
            MOST_COMBINATIONS
        };
        let first_of_each: Option<Chosen<'_>> = patterns
            .iter()
            .map(|(attribute, globs)| Some((*attribute, globs.first()?)))
            .collect();
        // One that covers all covers the first combination, too.
        let candidates = self.candidates(&first_of_each?);
        if let Some(at) = candidates
            .into_iter()
            .find(|&at| self.policies[at].1.cover_all(&patterns))
        {
            return Some(vec![self.policies[at].0]);
        }
        let combinations = patterns
            .values()
            .try_fold(1_usize, |count, globs| count.checked_mul(globs.len()))?;
        if combinations > most {
            return None;
        }
        let mut covering = BTreeSet::new();
        for combination in 0..combinations {
            let chosen = nth_combination(&patterns, combination);
            let mut candidates = self.candidates(&chosen).into_iter();
            let first = candidates.find(|&at| self.policies[at].1.cover(&chosen))?;
            covering.insert(self.policies[first].0);
        }
        Some(covering.into_iter().collect())
    }

    /// The policies that may match where `chosen` does, in their order.
    fn candidates(&self, chosen: &Chosen<'_>) -> BTreeSet<usize> {
        let mut candidates: BTreeSet<usize> = self.others.iter().copied().collect();
        for (attribute, glob) in chosen {
            // A pattern matches another as a text; what it begins and ends with must stand before and after that one's stars.
            let (prefix, suffix) = (glob.prefix(), glob.suffix());
            let beginnings = prefix
                .char_indices()
                .map(|(at, c)| &prefix[..at + c.len_utf8()]);
            let ends = suffix.char_indices().map(|(at, _)| &suffix[at..]);
            let mut find = |index: &Index, text: &str| {
                let places = index.get(attribute).and_then(|places| places.get(text));
                candidates.extend(places.into_iter().flatten());
            };
            if glob.is_text() {
                find(&self.by_text, prefix);
            }
            beginnings.for_each(|beginning| find(&self.by_prefix, beginning));
            ends.for_each(|end| find(&self.by_suffix, end));
        }
        #[cfg(test)]
        self.compared.set(self.compared.get() + candidates.len());
        candidates
    }
}

/// One pattern per attribute: the digits of a number whose places have different bases.
fn nth_combination<'a>(
    patterns: &BTreeMap<&'a Attribute, &'a [Glob]>,
    combination: usize,
) -> Chosen<'a> {
    let mut rest = combination;
    let choose = |(attribute, globs): (&&'a Attribute, &&'a [Glob])| {
        let glob = &globs[rest % globs.len()];
        rest /= globs.len();
        (*attribute, glob)
    };
    patterns.iter().map(choose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `"vendor=acme*,globex queue=refunds"`.
    fn conditions(text: &str) -> Conditions {
        let words = text.split(' ').filter(|word| !word.is_empty());
        Conditions::new(words.map(|word| {
            let (name, patterns) = word.split_once('=').unwrap();
            (
                Attribute::from_name(name).unwrap(),
                patterns.split(',').map(Glob::new).collect(),
            )
        }))
    }

    fn earlier(texts: &[&str], later: &Conditions) -> Earlier {
        let all: Vec<Conditions> = texts.iter().map(|text| conditions(text)).collect();
        let mut earlier = Earlier::among(all.iter().chain([later]));
        for (place, conditions) in all.into_iter().enumerate() {
            earlier.push(place, conditions);
        }
        earlier
    }

    #[test]
    fn what_earlier_policies_cover() {
        type Case<'a> = (&'a [&'a str], &'a str, Option<&'a [usize]>);
        let cases: [Case<'_>; 24] = [
            (&[""], "vendor=acme", Some(&[0])),
            (&["vendor=acme"], "", None),
            (&["vendor=*"], "", Some(&[0])),
            (&["vendor=**"], "", Some(&[0])),
            (&["vendor=a,***,b queue=*"], "status=open", Some(&[0])),
            (
                &["status=new,open,pending,on_hold,solved,closed"],
                "",
                Some(&[0]),
            ),
            (&["status=*e*,pending"], "", None),
            (&["status=*e*,on_hold"], "", Some(&[0])),
            (
                &["status=*e* vendor=a*"],
                "vendor=acme status=closed",
                Some(&[0]),
            ),
            (
                &["status=new,open,pending", "status=on_hold,*d"],
                "queue=x",
                Some(&[0, 1]),
            ),
            (&["status=new,open", "status=on_hold,*d"], "queue=x", None),
            (&["status=o*"], "status=open,on_hold", Some(&[0])),
            (&["status=o*"], "status=open,new", None),
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
            (
                &["queue=*.l1", "queue=*mid*"],
                "queue=a.l1,a*mid",
                Some(&[0, 1]),
            ),
            (&["queue="], "queue=", Some(&[0])),
            (&["queue="], "queue=a", None),
            (&[], "", None),
        ];
        for (texts, later, expected) in cases {
            let later_conditions = conditions(later);
            assert_eq!(
                earlier(texts, &later_conditions)
                    .covering(&later_conditions)
                    .as_deref(),
                expected,
                "{texts:?} {later}"
            );
        }
    }

    #[test]
    fn one_with_endless_combinations_is_not_taken_apart() {
        let endless: Vec<String> = ["vendor", "queue", "priority"]
            .iter()
            .map(|name| format!("{name}={}", "a,".repeat(20)))
            .collect();
        let endless = conditions(&endless.join(" "));
        let covering = |texts: &[&str]| earlier(texts, &endless).covering(&endless);
        assert_eq!(covering(&["vendor=a", "vendor="]), None);
        assert_eq!(covering(&["vendor=b", "vendor=a*,"]), Some(vec![1]));
        assert_eq!(covering(&["vendor=a", ""]), Some(vec![1]));
    }

    #[test]
    fn thousands_are_not_held_against_each_other() {
        const POLICIES: usize = 3_000;
        let forms: [fn(usize) -> String; 5] = [
            |at| format!("vendor=acme,globex,initech,umbrella queue=q{at},r{at},s{at},t{at}"),
            |at| format!("vendor=a*,b*,c*,d* queue=q{at}.*,r{at}.*,s{at}.*,t{at}.*"),
            |at| format!("queue=*.q{at} vendor=*"),
            |at| format!("vendor=v{} queue=q{} status=open", at % 50, at / 50),
            |at| format!("labels.customer=c{at:04}*"),
        ];
        for form in forms {
            let all: Vec<Conditions> = (0..POLICIES).map(|at| conditions(&form(at))).collect();
            let mut earlier = Earlier::among(all.iter());
            for (place, conditions) in all.into_iter().enumerate() {
                assert_eq!(earlier.covering(&conditions), None, "{}", form(place));
                earlier.push(place, conditions);
            }
            let compared = earlier.compared.get();
            assert!(compared <= 60 * POLICIES, "{}: {compared}", form(0));
        }
    }

    fn some_conditions() -> impl Strategy<Value = Conditions> {
        let patterns = || proptest::collection::vec("[ab*]{0,3}", 1..3);
        let status = prop_oneof![Just("open"), Just("o*"), Just("*"), Just("new"), Just("*d")];
        let written = (
            proptest::option::of(patterns()),
            proptest::option::of(patterns()),
            proptest::option::of(proptest::collection::vec(status, 1..4)),
        );
        written.prop_map(|(vendor, queue, status)| {
            let globs = |texts: Vec<String>| texts.iter().map(|text| Glob::new(text)).collect();
            let status = status.map(|texts| texts.into_iter().map(str::to_owned).collect());
            let attributes = [Attribute::Vendor, Attribute::Queue, Attribute::Status];
            let all = attributes.into_iter().zip([vendor, queue, status]);
            Conditions::new(all.filter_map(|(attribute, texts)| Some((attribute, globs(texts?)))))
        })
    }

    fn hold(conditions: &Conditions, vendor: &str, queue: &str, status: &str) -> bool {
        conditions.patterns.iter().all(|(attribute, globs)| {
            let value = match attribute.name() {
                "vendor" => vendor,
                "queue" => queue,
                _ => status,
            };
            globs.iter().any(|glob| glob.matches(value))
        })
    }

    proptest! {
        #![proptest_config(crate::tests::config(512))]

        #[test]
        fn nothing_reaches_a_policy_that_is_covered(
            all in proptest::collection::vec(some_conditions(), 1..6),
            later in some_conditions(),
            tickets in proptest::collection::vec(("[abc]{0,3}", "[abc]{0,3}", prop::sample::select(&["new", "open", "pending", "on_hold", "solved", "closed"][..])), 40),
        ) {
            let mut earlier = Earlier::among(all.iter().chain([&later]));
            for (place, conditions) in all.iter().enumerate() {
                earlier.push(place, conditions.clone());
            }
            // The plain search, which holds each combination against each policy.
            let mut patterns: BTreeMap<&Attribute, &[Glob]> =
                later.patterns.iter().map(|(attribute, globs)| (attribute, globs.as_slice())).collect();
            let statuses = statuses(&[Glob::new("*")]);
            patterns.entry(&Attribute::Status).or_insert(&statuses);
            let combinations = patterns.values().map(|globs| globs.len()).product();
            let plain = combinations > 0 && (0..combinations).all(|combination| {
                let chosen = nth_combination(&patterns, combination);
                all.iter().any(|conditions| conditions.cover(&chosen))
            });
            let found = earlier.covering(&later);
            prop_assert_eq!(found.is_some(), plain || all.iter().any(Conditions::match_all));
            if let Some(covering) = found {
                for (vendor, queue, status) in tickets {
                    let reaches = hold(&later, &vendor, &queue, status);
                    let held = covering.iter().any(|&at| hold(&all[at], &vendor, &queue, status));
                    prop_assert!(!reaches || held, "{} {} {}", vendor, queue, status);
                }
            }
        }
    }
}
