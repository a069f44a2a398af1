//! What a run is judged by: policies, rules and receivers, varied by the seed so that everything that they can say is said.

use slawatch_evaluator::RuleSet;
use slawatch_event::format_instant;
use slawatch_policy::PolicySets;
use slawatch_stream::faults::Dice;

/// A Wednesday, three minutes before nine.
pub const STARTED_MS: i64 = 1_700_038_620_000;

/// The first set is in force from long before; a second one, if there is one, takes effect during the run.
pub fn policies(dice: &mut Dice) -> PolicySets {
    let mut files = vec![("first.toml".to_owned(), set(dice, STARTED_MS - 86_400_000))];
    if dice.one_in(2) {
        let from_ms = STARTED_MS + 60_000 + dice.roll(180_000) as i64;
        files.push(("second.toml".to_owned(), set(dice, from_ms)));
    }
    PolicySets::parse(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn set(dice: &mut Dice, from_ms: i64) -> String {
    let mut pick = |words: &[&str]| words[dice.roll(words.len() as u64) as usize].to_owned();
    let calendar = pick(&["", "", "calendar = \"desk\""]);
    let on_reopen = pick(&["resume", "restart", "ignore"]);
    let attribute_to = pick(&["due", "start", "longest"]);
    let by_solving = pick(&["met", "cancelled"]);
    let pause = pick(&["[\"pending\"]", "[\"pending\", \"on_hold\"]", "[]"]);
    let quick = pick(&["8s", "15s", "25s"]);
    let slow = pick(&["40s", "1m30s", "3m"]);
    let long = pick(&["1m", "2m30s", "6m"]);
    let warn = pick(&["[0.5]", "[0.5, \"5s\"]", "[]"]);
    let answer = pick(&["5s", "12s"]);
    let from = format_instant(from_ms);
    format!(
        r#"
effective_from = "{from}"
[[calendar]]
name = "desk"
timezone = "Etc/UTC"
hours = {{ mon-fri = ["08:00-08:58", "09:00-09:02", "09:03-18:00"] }}
[[policy]]
name = "calls"
match = {{ queue = ["calls"] }}
warn_at = {warn}
short_abandon = "2s"
[policy.targets]
answer = "{answer}"
[[policy]]
name = "acme"
match = {{ vendor = ["acme"], priority = ["urgent", "low"] }}
{calendar}
on_reopen = "{on_reopen}"
attribute_to = "{attribute_to}"
reply_by_solving = "{by_solving}"
warn_at = {warn}
[policy.targets]
first_reply = {{ urgent = "{quick}", default = "{slow}" }}
next_reply = "{slow}"
periodic_update = "{slow}"
requester_wait = "{long}"
agent_work = "{slow}"
resolution = {{ urgent = "{slow}", default = "{long}" }}
answer = "{answer}"
[policy.pause_on]
resolution = {pause}
next_reply = {pause}
[[policy]]
name = "rest"
on_reopen = "{on_reopen}"
warn_at = {warn}
[policy.targets]
first_reply = {{ urgent = "{quick}", low = "{long}" }}
next_reply = "{quick}"
resolution = "{long}"
answer = "{answer}"
"#
    )
}

/// The key of this rule's alert in [`INCIDENT`] tells whether a staged incident was noticed.
pub const INCIDENT_RULE: &str = "abandons";
/// Vendor and queue of the staged incident.
pub const INCIDENT: (&str, &str) = ("acme", "calls");

/// The rules, or those that replace them during a run: with another backlog and no warnings.
pub fn rules(changed: bool) -> RuleSet {
    let (on, enter) = if changed {
        ("breached", 6)
    } else {
        ("warning", 4)
    };
    let text = format!(
        r#"
[[rule]]
name = "breached"
type = "ticket"
on = ["breached"]
severity = "error"
[[rule]]
name = "second"
type = "ticket"
on = ["{on}"]
severity = "warning"
[[rule]]
name = "{INCIDENT_RULE}"
type = "threshold"
measure = "abandon_rate"
window = "3m"
enter = "50%"
exit = "49%"
min_samples = 4
severity = "critical"
by = ["vendor", "queue"]
[[rule]]
name = "replies"
type = "threshold"
measure = "attainment.first_reply"
window = "4m"
enter = "60%"
exit = "75%"
min_samples = 3
for = "1m"
keep_firing_for = "1m"
severity = "error"
by = ["vendor"]
[[rule]]
name = "backlog"
type = "threshold"
measure = "backlog"
enter = {enter}
exit = 2
severity = "warning"
by = ["vendor", "queue"]
"#
    );
    RuleSet::parse("rules.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Two receivers of different habits, who hear of everything; what they are sent goes to the simulated ones.
pub const RECEIVERS: &str = r#"
    inhibit = false
    [[receiver]]
    name = "am"
    type = "alertmanager"
    url = "http://unused"
    [[receiver]]
    name = "hook"
    type = "webhook"
    url = "http://unused"
"#;
