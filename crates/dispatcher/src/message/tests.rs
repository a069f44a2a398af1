//! The built-in templates as people read them, and what is said of templates that are wrong.

use super::*;

fn templates(kind: &str, more: &str) -> Result<Templates, DispatcherError> {
    let settings = match kind {
        "pagerduty" => "routing_key = \"k\"",
        "slack" => "token = \"t\"\nchannel = \"C1\"",
        "email" => {
            "email = { host = \"mail\", from = \"s@example.com\", to = [\"o@example.com\"] }"
        }
        _ => "url = \"https://example.com\"",
    };
    let text = format!("name = \"r\"\ntype = \"{kind}\"\n{settings}\n{more}");
    Templates::new(&toml::from_str(&text).unwrap())
}

/// Everything that one kind of receiver shows of the samples.
fn shown(kind: &str) -> String {
    let templates = templates(kind, "").unwrap();
    let mut text = String::new();
    for (alert, intent, links) in sample::all() {
        let telling = Telling {
            alert: &alert,
            intent: &intent,
            links: &links,
            now_ms: alert.at_ms,
        };
        let (title, body) = (templates.title(telling), templates.body(telling));
        text.push_str(&format!("=== {title}\n{body}\n"));
        if kind == "email" {
            text.push_str(&format!("--- text\n{}\n", templates.text(telling)));
        }
    }
    text
}

#[test]
fn the_built_in_templates_read_well() {
    for kind in ["alertmanager", "webhook", "slack", "teams", "email"] {
        insta::assert_snapshot!(kind, shown(kind));
    }
    assert_eq!(shown("pagerduty"), shown("webhook"));
}

#[test]
fn a_template_has_every_field() {
    let body = "{{ state }} {{ key }} {{ incident }} {{ revision }} {{ kind }} {{ at }} {{ due_at | local(\\\"%H:%M\\\") }} \
                {{ fired_at.ms if fired_at is not none }} {{ timezone }} {{ evidence | length }} {{ is_over }} \
                {% for t in worst_tickets %}{{ t.url }} {{ t.elapsed_ms | duration }} {% endfor %}{{ links.ticket }}";
    let made = templates(
        "webhook",
        &format!("body = \"{body}\"\ntitle = \"{{{{ rule }}}}\\n{{{{ vendor }}}}\""),
    )
    .unwrap();
    let (alert, intent, links) = sample::all().swap_remove(0);
    let telling = Telling {
        alert: &alert,
        intent: &intent,
        links: &links,
        now_ms: 0,
    };
    assert_eq!(
        made.body(telling),
        "firing service-level/acme/refunds 0123456789abcdef 3 threshold 2026-03-02T13:05:00.000Z 14:02 1772456520000 \
         Europe/Berlin 8 False https://desk.example.com/tickets/C%2D1042 5 min 10 s \
         https://desk.example.com/tickets/C%2D1038 4 min 5 s"
    );
    assert_eq!(made.title(telling), "service-level acme");
    assert_eq!(
        made.title_of_all(&[telling, telling, telling]),
        "service-level acme (and 2 more)"
    );
}

#[test]
fn a_mistake_is_told_with_its_line() {
    for (more, expected) in [
        (
            "title = \"{{ sumary }}\"",
            "receiver \"r\": title, line 1: undefined value",
        ),
        (
            "body = \"{{ summary }}\\n{% if %}\"",
            "receiver \"r\": body, line 2: syntax error: ",
        ),
        (
            "body = \"a\\nb\\n{{ summary | local }}\"",
            "receiver \"r\": body, line 3: invalid operation: local is of an instant, such as at or due_at; test first whether \
             fired_at is none",
        ),
        (
            "body = \"{{ fired_at | local }}\"",
            "receiver \"r\": body, line 1: invalid operation: local is of an instant",
        ),
        (
            "body = \"{{ at | local(\\\"%Q %&\\\") }}\"",
            "receiver \"r\": body, line 1: invalid operation: \"%Q %&\" is no way to write a time",
        ),
    ] {
        let told = templates("webhook", more).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{more}: {told}");
        assert!(
            told.ends_with("; docs/receivers.md lists what a template may use"),
            "{told}"
        );
    }
}

#[test]
fn what_a_reader_would_take_for_markup_is_escaped() {
    let (mut alert, intent, links) = sample::all().swap_remove(0);
    alert.summary = "<b> & *bold* [x](y)".to_owned();
    let telling = Telling {
        alert: &alert,
        intent: &intent,
        links: &links,
        now_ms: 0,
    };
    let body = "body = \"{{ summary }}\"";
    for (kind, expected) in [
        ("webhook", "<b> & *bold* [x](y)"),
        ("slack", "&lt;b&gt; &amp; *bold* [x](y)"),
        ("teams", "<b> & \\*bold\\* \\[x\\]\\(y\\)"),
        ("email", "&lt;b&gt; &amp; *bold* [x](y)"),
    ] {
        assert_eq!(
            templates(kind, body).unwrap().body(telling),
            expected,
            "{kind}"
        );
    }
}

#[test]
fn a_template_that_fails_for_a_real_alert_keeps_nobody_in_the_dark() {
    // No sample has ten tickets.
    let made = templates(
        "webhook",
        "body = \"{% if worst_tickets | length > 9 %}{{ nothing }}{% endif %}\"",
    )
    .unwrap();
    let (mut alert, intent, links) = sample::all().swap_remove(0);
    alert.worst_tickets = vec![alert.worst_tickets[0].clone(); 10];
    let telling = Telling {
        alert: &alert,
        intent: &intent,
        links: &links,
        now_ms: 0,
    };
    assert!(made.body(telling).contains("Who: acme, queue refunds"));
}
