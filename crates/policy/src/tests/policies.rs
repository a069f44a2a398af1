//! What is said of mistakes in single policies.

use super::{OPEN, USED, said};

#[test]
fn mistakes_in_policies() {
    let cases = [
        (
            "on_reopen = \"restrat\"",
            "\"restrat\" | \"restrat\" is none of resume, restart, ignore | write \"restart\"",
        ),
        (
            "attribute_to = \"vendor\"",
            "\"vendor\" | \"vendor\" is none of due, start, longest | write one of these",
        ),
        (
            "reply_by_solving = true",
            "true | reply_by_solving takes one of met, cancelled, and this is a boolean | write something like \"met\"",
        ),
        (
            "short_abandon = \"5\"",
            "\"5\" | \"5\": a duration needs units: h, m or s | write \"5m\" for minutes, \"5s\" for seconds or \"5h\" for hours",
        ),
        (
            "short_abandon = 5",
            "5 | short_abandon takes a duration, and this is an integer | write \"5m\" for minutes, \"5s\" for seconds or \"5h\" for hours",
        ),
        (
            "warn_at = [80]",
            "80 | 80 is no fraction of the target between 0 and 1 | write 0.8 for 80 %",
        ),
        (
            "warn_at = [1.0]",
            "1.0 | 1.0 is no fraction of the target between 0 and 1 | write a decimal such as 0.8, of at most nine digits, or the time left, such as \"15m\"",
        ),
        (
            "warn_at = [\"0s\"]",
            "\"0s\" | \"0s\": with no time left the target is missed already | write how long before, such as \"15m\"",
        ),
        (
            "warn_at = [\"80%\"]",
            "\"80%\" | \"80%\": this is no duration: only digits and the units h, m and s may stand in it | write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"",
        ),
        (
            "warn_at = [true]",
            "true | warn_at takes a fraction of the target or a time left, and this is a boolean | write something like 0.8 or \"15m\"",
        ),
        (
            "warn_at = 0.8",
            "0.8 | warn_at takes a list of levels, and this is a decimal | write something like [0.8, \"15m\"]",
        ),
        (
            "shortabandon = \"5s\"",
            "shortabandon | unknown key \"shortabandon\" in [[policy]] | write short_abandon",
        ),
        (
            "resolution = \"24h\"",
            "resolution | unknown key \"resolution\" in [[policy]] | write it below [policy.targets] or [policy.pause_on]: resolution is a metric",
        ),
        (
            "timezone = \"UTC\"",
            "timezone | unknown key \"timezone\" in [[policy]] | write it below [[calendar]], which is where timezone belongs",
        ),
        (
            "match = { vendr = [\"acme\"] }",
            "vendr | a ticket has no attribute \"vendr\" | write \"vendor\"; a label is written \"labels.vendr\"",
        ),
        (
            "match = { \"labels.\" = [\"x\"] }",
            "\"labels.\" | a ticket has no attribute \"labels.\" | write one of vendor, queue, priority, status, channel, category, agent_id, requester_id, root_cause, sop, or \"labels.NAME\" for a label",
        ),
        (
            "match = { queue = \"refunds\" }",
            "\"refunds\" | queue takes a list of patterns, and this is a string | write [\"refunds\"]",
        ),
        (
            "match = { queue = [1] }",
            "1 | queue takes a pattern, and this is an integer | write something like \"acme*\"",
        ),
        (
            "match = { labels.tier = [\"a\"], \"labels.tier\" = [\"b\"] }",
            "\"labels.tier\" | labels.tier is matched twice | write it once, with all of its patterns in one list",
        ),
        (
            "match = \"acme\"",
            "\"acme\" | match takes a table of attributes, and this is a string | write something like { vendor = [\"acme*\"] }",
        ),
        (
            "targets = \"4h\"",
            "\"4h\" | targets takes a table of metrics, and this is a string | write something like { resolution = … }",
        ),
        (
            "[policy.targets]\nresolution = \"3d\"",
            "\"3d\" | \"3d\": a duration cannot be in days: a business day has no fixed length, so say how many hours it shall be | write \"72h\" for that much business time, or the hours of as many business days",
        ),
        (
            "[policy.targets]\nresolution = \"1w\"",
            "\"1w\" | \"1w\": a duration cannot be in weeks: a business day has no fixed length, so say how many hours it shall be | write \"168h\" for that much business time, or the hours of as many business days",
        ),
        (
            "[policy.targets]\nresolution = \"0s\"",
            "\"0s\" | \"0s\": a target must be more than nothing | write at least \"1s\", or leave the target out",
        ),
        (
            "[policy.targets]\nresolution = \"-5m\"",
            "\"-5m\" | \"-5m\": a duration cannot be negative | write \"5m\"",
        ),
        (
            "[policy.targets]\nresolution = \"1.5h\"",
            "\"1.5h\" | \"1.5h\": a duration is in whole numbers; write the fraction in the next smaller unit | write \"1h30m\"",
        ),
        (
            "[policy.targets]\nanswer = \"500ms\"",
            "\"500ms\" | \"500ms\": a second is the smallest unit of a duration | write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"",
        ),
        (
            "[policy.targets]\nanswer = \"30s1m\"",
            "\"30s1m\" | \"30s1m\": the units of a duration come once each, h before m before s | write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"",
        ),
        (
            "[policy.targets]\nanswer = \"1000001h\"",
            "\"1000001h\" | \"1000001h\": a duration is at most 1000000h | write hours, minutes and seconds, such as \"1h30m\", \"90s\" or \"24h\"",
        ),
        (
            "[policy.targets]\nanswer = \"15min\"",
            "\"15min\" | \"15min\": this is no duration: only digits and the units h, m and s may stand in it | write \"15m\"",
        ),
        (
            "[policy.targets]\nagent_work = 90",
            "90 | agent_work takes a duration, or a table of one per priority, and this is an integer | write \"90m\" for minutes, \"90s\" for seconds or \"90h\" for hours",
        ),
        (
            "[policy.targets]\nagent_work = { high = 90 }",
            "90 | high takes a duration, and this is an integer | write \"90m\" for minutes, \"90s\" for seconds or \"90h\" for hours",
        ),
        (
            "[policy.targets]\nagent_work = { high = \"1h\", defualt = \"4h\" }",
            "defualt | \"defualt\" is read as a priority of that name, and looks like a slip of \"default\" | write \"default\"",
        ),
        (
            "[policy.targets]\nawnser = \"20s\"",
            "awnser | unknown metric \"awnser\" | write \"answer\"",
        ),
        (
            "[policy.targets]\nsleep = \"20s\"",
            "sleep | unknown metric \"sleep\" | write one of first_reply, next_reply, periodic_update, requester_wait, agent_work, resolution, answer",
        ),
        (
            "[policy.targets]\non_reopen = \"resume\"",
            "on_reopen | \"on_reopen\" is no metric, but a key of [[policy]] | write it above [policy.targets] and [policy.pause_on]",
        ),
        (
            "[policy.pause_on]\nresolution = [\"onhold\"]",
            "\"onhold\" | \"onhold\" is none of new, open, pending, on_hold, solved, closed | write \"on_hold\"",
        ),
        (
            "[policy.pause_on]\nresolution = [3]",
            "3 | resolution takes one of new, open, pending, on_hold, solved, closed, and this is an integer | write something like \"new\"",
        ),
        (
            "[policy.pause_on]\nresolution = \"pending\"",
            "\"pending\" | resolution takes a list of statuses, and this is a string | write [\"pending\"]",
        ),
    ];
    for (lines, expected) in cases {
        assert_eq!(
            said(OPEN, &format!("{USED}\n{lines}")),
            [format!("E {expected}")],
            "{lines}"
        );
    }
}

#[test]
fn what_can_be_lived_with_is_a_warning() {
    let cases = [
        (
            OPEN,
            "",
            "\"desk\" | no policy uses the calendar \"desk\" | write calendar = \"desk\" in a [[policy]], or remove it",
        ),
        (
            "",
            USED,
            "\"desk\" | the calendar \"desk\" is never open: no clock under it ever runs | write its hours, such as hours = { mon-fri = [\"09:00-17:00\"] }",
        ),
        (
            OPEN,
            "calendar = \"desk\"\nwarn_at = [0.5, \"60m\", 0.50, \"1h\"]",
            "0.50 | 0.50 is the same level as 0.5 | remove one of the two",
        ),
        (
            OPEN,
            "calendar = \"desk\"\nwarn_at = [0.5, \"1h\"]\n[policy.targets]\nresolution = \"1h\"\nanswer = \"20s\"\nfirst_reply = { low = \"2h\", high = \"59m59s\" }",
            "\"1h\" | 1h is more than the whole target of answer (20s), first_reply (59m59s for \"high\"): its warning comes as soon as the clock starts | write less time, or a fraction of the target such as 0.8",
        ),
        (
            OPEN,
            "calendar = \"desk\"\nmatch = { queue = [] }",
            "queue | queue has no pattern, so that this policy never applies | write queue = [\"*\"] for any value, or remove it",
        ),
        (
            OPEN,
            "calendar = \"desk\"\nmatch = { status = [\"on-hold\", \"solve*\"] }",
            "\"on-hold\" | no status matches \"on-hold\" | write \"on_hold\"",
        ),
        (
            OPEN,
            "calendar = \"desk\"\nmatch = { status = [\"waiting\"] }",
            "\"waiting\" | no status matches \"waiting\" | a status is one of new, open, pending, on_hold, solved, closed",
        ),
        (
            OPEN,
            "calendar = \"desk\"\n[policy.targets]\nresolution = {}",
            "resolution | resolution has a target for no priority | write one duration, such as \"4h\", or one per priority; or remove it",
        ),
        (
            OPEN,
            "calendar = \"desk\"\n[policy.targets]\nresolution = { high = \"1h\" }\nanswer = { high = \"9s\" }\nagent_work = { hihg = \"1h\" }",
            "hihg | the priority \"hihg\" looks like a slip of \"high\", which this file names 2 times | write \"high\", if that is meant",
        ),
    ];
    for (calendar, policy, expected) in cases {
        let found = said(calendar, policy);
        assert_eq!(found[0], format!("W {expected}"));
        assert!(found.iter().all(|said| said.starts_with('W')), "{found:?}");
    }
}
