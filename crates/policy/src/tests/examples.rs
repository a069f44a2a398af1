//! The examples that users start from are right, and the schema beside them is the present one.

use super::files;
use crate::{Metric, PolicySets, check};

const CONTRACT: &str = include_str!("../../../../examples/policies/contract.toml");
const SCHEMA: &str = include_str!("../../../../examples/policies/policy.schema.json");

#[test]
fn the_contract_has_no_mistake() {
    let report = check(&files(&[("contract.toml", CONTRACT)]));
    assert_eq!(
        report.to_string(),
        "1 policy set, 8 policies: 0 errors, 0 warnings"
    );
}

#[test]
fn every_vendor_and_queue_of_the_contract_has_targets_at_every_priority() {
    let sets = PolicySets::parse(&files(&[("contract.toml", CONTRACT)])).unwrap();
    let set = &sets.sets()[0];
    for vendor in ["acme-manila", "globex", "initech", "umbrella"] {
        for queue in ["refunds", "billing", "tech.l1", "tech.l2", "orders"] {
            for (channel, metric) in [
                ("phone", Metric::Answer),
                ("chat", Metric::Answer),
                ("email", Metric::NextReply),
            ] {
                let place = set.find(|attribute| match attribute.name() {
                    "vendor" => vendor,
                    "queue" => queue,
                    "channel" => channel,
                    _ => "",
                });
                let policy = &set.policies[place.unwrap()];
                for priority in ["urgent", "high", "normal", "low"] {
                    for metric in [Metric::FirstReply, metric] {
                        let target_ms = policy.target_ms(metric, priority);
                        assert!(
                            target_ms.is_some(),
                            "{vendor} {queue} {channel} {priority} {metric}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_schema_for_editors_is_up_to_date() {
    let written: serde_json::Value = SCHEMA.parse().unwrap();
    assert!(
        written == PolicySets::json_schema(),
        "write it again: cargo run -p slawatch-policy --example schema > examples/policies/policy.schema.json"
    );
}
