//! What is said of mapping files, and what the good ones do.

use std::io;

use slawatch_event::{DecodeOptions, Encoding, Mapping, parse};
use slawatch_policy::Severity;

use super::{MappingReport, check_mapping};

const PROGRAM: &str = "{\n  event_id: .id,\n  queue: .grup | lower\n}\n";

fn report(text: &str) -> MappingReport {
    check_mapping("m.toml", text, |name| {
        let text = match name {
            "good.jq" => {
                Ok("{event_id: .id, ticket_id: .id, type: .kind, occurred_at: .at}".to_owned())
            }
            "bad.jq" => Ok(PROGRAM.to_owned()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        (format!("folder/{name}"), text)
    })
}

/// `E file:line:column words | message | help` of everything that is said.
fn said(text: &str) -> Vec<String> {
    let report = report(text);
    assert_eq!(
        report.mapping.is_none(),
        report.diagnostics.errors() > 0,
        "{text}"
    );
    report
        .diagnostics
        .iter()
        .map(|found| {
            let letter = match found.severity {
                Severity::Error => 'E',
                Severity::Warning => 'W',
            };
            format!(
                "{letter} {}:{}:{} {} | {} | {}",
                found.file, found.line, found.column, found.words, found.message, found.help
            )
        })
        .collect()
}

fn mapping(text: &str) -> Mapping {
    let report = report(text);
    report
        .mapping
        .unwrap_or_else(|| panic!("{}", report.diagnostics))
}

fn read(text: &str, record: &str) -> String {
    let options = DecodeOptions {
        mapping: mapping(text),
        ..DecodeOptions::default()
    };
    match parse(record.as_bytes(), Encoding::Json, &options) {
        Ok(event) => format!(
            "{} {} {} {:?}",
            event.event_id,
            event.ticket_id,
            event.event_type.name(),
            event.attributes
        ),
        Err(rejection) => rejection.to_string(),
    }
}

const ALL: [&str; 3] = [
    "vendor, queue, priority, channel, category, agent_id, requester_id, root_cause, sop, event_id, ticket_id, type, occurred_at, sequence, status, labels, contact_id, talk_ms, hold_ms, wrap_ms, score, score_max, level, reason, passed, into",
    "created, updated, customer_replied, agent_replied, contact_offered, contact_answered, contact_abandoned, handled, rated, escalated, audited, merged, cancelled",
    "new, open, pending, on_hold, solved, closed",
];

#[test]
fn every_mistake_is_named_with_its_place_and_a_way_out() {
    let [fields, types, statuses] = ALL;
    let toml = "write KEY = \"VALUE\" below a line such as [fields]; a key with other signs than letters, digits, _ and - stands in quotes too";
    for (text, expected) in [
        ("", vec!["W m.toml:1:1  | the mapping changes nothing | write one of jq, jq_file, fields, labels, constants, types, statuses".to_owned()]),
        (
            "[fields]\nticket_id = case_id\n",
            vec![format!("E m.toml:2:13 case_id | this is not TOML: string values must be quoted, expected literal string | {toml}")],
        ),
        (
            "field = 1\nticket_id = \"x\"\nzzz = 1",
            vec![
                "E m.toml:1:1 field | unknown key \"field\" in the file | write fields".to_owned(),
                "E m.toml:2:1 ticket_id | unknown key \"ticket_id\" in the file | say below [fields] where ticket_id stands, or below [constants] what it always is".to_owned(),
                "E m.toml:3:1 zzz | unknown key \"zzz\" in the file | the keys of the file are jq, jq_file, fields, labels, constants, types, statuses".to_owned(),
            ],
        ),
        (
            "fields = 1\nlabels = []\nconstants = true\ntypes = 1.5\nstatuses = \"x\"\njq_file = 1979-05-27",
            vec![
                "E m.toml:1:10 1 | fields takes a table, and this is an integer | write [fields] on a line of its own, and below it lines such as ticket_id = \"ticket.id\"".to_owned(),
                "E m.toml:2:10 [] | labels takes a table, and this is a list | write [labels] on a line of its own, and below it lines such as region = \"ticket.region\"".to_owned(),
                "E m.toml:3:13 true | constants takes a table, and this is a boolean | write [constants] on a line of its own, and below it lines such as vendor = \"acme\"".to_owned(),
                "E m.toml:4:9 1.5 | types takes a table, and this is a decimal | write [types] on a line of its own, and below it lines such as \"ticket.opened\" = \"created\"".to_owned(),
                "E m.toml:5:12 \"x\" | statuses takes a table, and this is a text | write [statuses] on a line of its own, and below it lines such as \"Waiting for customer\" = \"pending\"".to_owned(),
                "E m.toml:6:11 1979-05-27 | jq_file takes a text, and this is a date or time | write jq_file = \"mapping.jq\"".to_owned(),
            ],
        ),
        (
            "[fields]\ntiket_id = \"id\"\ncase = \"id\"\nqueue = \"a..b\"\nvendor = 1\nlabels.a = \"b\"\n\"labels.b\" = \"c\"\nsop = []\n",
            vec![
                "E m.toml:2:1 tiket_id | \"tiket_id\" is no field of an event | write ticket_id".to_owned(),
                format!("E m.toml:3:1 case | \"case\" is no field of an event | slawatch's field stands on the left, and the source's on the right; the fields are {fields}; anything else goes below [labels]"),
                "E m.toml:4:9 \"a..b\" | this is no place in a record: it takes 1 to 32 keys, none of them empty | write keys with single dots between, from the outermost inwards, as in \"ticket.id\"".to_owned(),
                "E m.toml:5:10 1 | vendor takes a place in the record, and this is an integer | write vendor = \"ticket.vendor\", or [\"a.b\", \"c\"] where a key itself has dots".to_owned(),
                "E m.toml:6:1 labels | labels stand below [labels] | write region = \"ticket.region\" there".to_owned(),
                "E m.toml:7:1 \"labels.b\" | \"labels.b\" is no field of an event | write b = … below [labels]".to_owned(),
                "E m.toml:8:7 [] | this is no place in a record: it takes 1 to 32 keys, none of them empty | write keys with single dots between, from the outermost inwards, as in \"ticket.id\"".to_owned(),
            ],
        ),
        (
            "[labels]\nregion = 5\n[constants]\nvendr = \"acme\"\nevent_id = \"e\"\nvendor = 5\nscore_max = \"5\"\ntalk_ms = -1\nhold_ms = 0x10\npassed = 1\nlabels = {}\ntype = \"create\"\nstatus = \"waiting\"\nscore = inf\n",
            vec![
                "E m.toml:2:10 5 | region takes a place in the record, and this is an integer | write region = \"ticket.region\", or [\"a.b\", \"c\"] where a key itself has dots".to_owned(),
                "E m.toml:4:1 vendr | \"vendr\" is no field of an event | write vendor".to_owned(),
                "E m.toml:5:12 \"e\" | event_id cannot be the same in every event | say below [fields] where it stands".to_owned(),
                "E m.toml:6:10 5 | vendor takes a text, and this is an integer | write vendor = \"…\"".to_owned(),
                "E m.toml:7:13 \"5\" | score_max takes a number, and this is a text | write score_max = 5".to_owned(),
                "E m.toml:8:11 -1 | talk_ms takes a whole number from 0, and this is an integer | write talk_ms = 0".to_owned(),
                "E m.toml:9:11 0x10 | hold_ms takes a whole number from 0, and this is an integer | write hold_ms = 0".to_owned(),
                "E m.toml:10:10 1 | passed takes true or false, and this is an integer | write passed = true".to_owned(),
                "E m.toml:11:10 {} | labels cannot be constant | set them with a program: labels: {region: \"emea\"}".to_owned(),
                "E m.toml:12:8 \"create\" | \"create\" is no type of event | write \"created\"".to_owned(),
                format!("E m.toml:13:10 \"waiting\" | \"waiting\" is no status | write one of {statuses}"),
                "E m.toml:14:9 inf | score takes a number, and this is a decimal | write score = 5".to_owned(),
            ],
        ),
        (
            "[fields]\nvendor = \"a\"\n[constants]\nvendor = \"acme\"",
            vec!["E m.toml:4:1 vendor | vendor is given by [fields] and by [constants] | keep one of the two".to_owned()],
        ),
        (
            "[types]\nopened = \"create\"\nx = \"opened\"\nticket.y = \"updated\"\n[statuses]\nW = \"pendng\"\nZ = \"\"\nU = 5\n",
            vec![
                "E m.toml:2:10 \"create\" | \"create\" is no type of event | write \"created\"".to_owned(),
                format!("E m.toml:3:5 \"opened\" | \"opened\" is no type of event | write one of {types}"),
                "E m.toml:4:1 ticket | ticket takes one word, and this is a table | write it like \"ticket.opened\" = \"created\"".to_owned(),
                "E m.toml:6:5 \"pendng\" | \"pendng\" is no status | write \"pending\"".to_owned(),
                format!("E m.toml:7:5 \"\" | \"\" is no status | write one of {statuses}"),
                "E m.toml:8:5 5 | U takes one word, and this is an integer | write it like \"Waiting for customer\" = \"pending\"".to_owned(),
            ],
        ),
        (
            "jq = '.'\njq_file = \"good.jq\"\n[fields]\nqueue = \"q\"\n",
            vec![
                "E m.toml:2:11 \"good.jq\" | the program is given twice, by jq and by jq_file | keep one of the two".to_owned(),
                "E m.toml:2:11 \"good.jq\" | the fields are given by a program and by tables | keep one of the two: [fields], [labels] and [constants] are for plain renaming, a program can do the same".to_owned(),
            ],
        ),
        (
            "jq_file = \"none.jq\"",
            vec!["E m.toml:1:11 \"none.jq\" | cannot read the program folder/none.jq: entity not found | name a file, relative to this one".to_owned()],
        ),
        (
            "jq_file = \"bad.jq\"\n[statuses]\nW = \"x\"\n",
            vec![
                format!("E m.toml:3:5 \"x\" | \"x\" is no status | write one of {statuses}"),
                "E folder/bad.jq:3:18 lower | there is no filter lower/0 (a name and its number of arguments) | write a builtin of jq, or define it with def".to_owned(),
            ],
        ),
        (
            "# a program\njq = '''\n{event_id: .id,\n  at: now}\n'''\n",
            vec!["E m.toml:4:7 now | now reads the clock: a mapping reads nothing but its record | take what you need from the record, from $envelope or from $key".to_owned()],
        ),
        (
            "jq = \"{\\\"at\\\": now}\"",
            vec!["E m.toml:1:6 \"{\\\"at\\\": now}\" | now reads the clock: a mapping reads nothing but its record | take what you need from the record, from $envelope or from $key".to_owned()],
        ),
        (
            "jq = \"zendesk.jq\"",
            vec!["E m.toml:1:7 zendesk | there is no filter zendesk/0 (a name and its number of arguments) | write jq_file = \"zendesk.jq\" for a program in a file of its own".to_owned()],
        ),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
}

#[test]
fn good_files_map() {
    let record = r#"{"id":"e","t.id":7,"case":{"no":"t"},"kind":"opened","at":5,"state":"W","queue":"own","region":"emea"}"#;
    for (text, expected) in [
        (
            "[fields]\nevent_id = \"id\"\nticket_id = \"case.no\"\ntype = \"kind\"\noccurred_at = \"at\"\nstatus = \"state\"\n\
             [labels]\nregion = \"region\"\n[constants]\nvendor = \"acme\"\n[types]\nopened = \"created\"\n[statuses]\nW = \"on_hold\"\n",
            r#"e t created Attributes { status: Some(OnHold), text: [Some("acme"), Some("own"), None, None, None, None, None, None, None], labels: [("region", "emea")] }"#,
        ),
        (
            "[fields]\nevent_id = \"id\"\nticket_id = [\"t.id\"]\noccurred_at = \"at\"\nqueue = \"\"\n[constants]\ntype = \"updated\"\nscore_max = 10\n",
            "e 7 updated Attributes { status: None, text: [None, None, None, None, None, None, None, None, None], labels: [] }",
        ),
        (
            "jq_file = \"good.jq\"\ntypes = { opened = \"created\" }",
            "e e created Attributes { status: None, text: [None, None, None, None, None, None, None, None, None], labels: [] }",
        ),
    ] {
        assert_eq!(read(text, record), expected, "{text}");
    }
}
