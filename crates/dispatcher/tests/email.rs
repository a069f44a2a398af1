//! E-mail to a real mail server, a process of its own, with and without TLS and login.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, alert};
use slawatch_devstack::smtp::{Mail, Smtp, SmtpOptions, SmtpTls};
use slawatch_wire::v1::AlertState::{Firing, Resolved};
use slawatch_wire::v1::AlertTransition;

const FAST: &str = "retry_min = \"10ms\"\nretry_max = \"50ms\"\ntimeout = \"5s\"\n";

fn server(tls: SmtpTls, login: bool) -> Smtp {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let pair = (made.cert.pem(), made.signing_key.serialize_pem());
    let options = SmtpOptions {
        tls,
        certificate: (tls != SmtpTls::None).then_some(pair),
        login: login.then(|| ("slawatch".to_owned(), "hunter2".to_owned())),
        ..SmtpOptions::default()
    };
    Smtp::start(options).unwrap_or_else(|error| panic!("{error}"))
}

fn config(server: &Smtp, more: &str) -> String {
    format!(
        "[[receiver]]\nname = \"mail\"\ntype = \"email\"\n{FAST}[receiver.email]\nhost = \"localhost\"\nport = {}\n\
         from = \"slawatch <slawatch@example.com>\"\nto = [\"ops@example.com\", \"Maria <maria@example.com>\"]\n{more}\n",
        server.port()
    )
}

fn in_the_open(server: &Smtp) -> String {
    config(server, "tls = \"none\"")
}

/// A header as it was written, its lines joined.
fn header(mail: &Mail, name: &str) -> Option<String> {
    let head = mail
        .content
        .split("\r\n\r\n")
        .next()
        .unwrap()
        .replace("\r\n ", " ");
    let found = head
        .lines()
        .find(|line| line.starts_with(&format!("{name}: ")))?;
    Some(found[name.len() + 2..].to_owned())
}

fn kept(server: &Smtp) -> Vec<Mail> {
    let mut mails = server.mails();
    mails.retain(|mail| mail.answer.starts_with("250"));
    mails
}

#[test]
fn an_incident_is_one_thread_in_text_and_html() {
    let server = server(SmtpTls::None, false);
    let mut rig = Rig::start(&in_the_open(&server));
    let firing = AlertTransition {
        timezone: "Europe/Berlin".into(),
        ..alert("late", Firing, 1)
    };
    rig.evaluator_says(vec![firing]);
    rig.until_recorded("SENT mail firing late-1: 250 2.0.0 kept");
    rig.take_over();
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT mail resolved late-1: 250 2.0.0 kept");
    let mails = kept(&server);
    assert_eq!(mails.len(), 2);
    let first = &mails[0];
    assert_eq!(
        (first.from.as_str(), first.encrypted),
        ("slawatch@example.com", false)
    );
    assert_eq!(first.to, ["ops@example.com", "maria@example.com"]);
    assert_eq!(
        header(first, "From").unwrap(),
        "slawatch <slawatch@example.com>"
    );
    assert_eq!(
        header(first, "To").unwrap(),
        "ops@example.com, Maria <maria@example.com>"
    );
    assert_eq!(
        header(first, "Subject").unwrap(),
        "CRITICAL: refunds answers 62.5 % in time"
    );
    assert_eq!(header(first, "Auto-Submitted").unwrap(), "auto-generated");
    assert!(header(first, "Date").is_some());
    let content_type = header(first, "Content-Type").unwrap();
    assert!(
        content_type.starts_with("multipart/alternative;"),
        "{content_type}"
    );
    for part in [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(first.content.contains(part), "{}", first.content);
    }
    assert!(
        first.content.contains("Who: acme, queue refunds"),
        "{}",
        first.content
    );
    // The second one refers to the first.
    let id = header(first, "Message-ID").unwrap();
    assert!(
        id.starts_with("<slawatch.") && id.ends_with("@example.com>"),
        "{id}"
    );
    assert_eq!(header(first, "In-Reply-To"), None);
    assert_eq!(header(&mails[1], "In-Reply-To").as_ref(), Some(&id));
    assert_eq!(header(&mails[1], "References").as_ref(), Some(&id));
    assert_ne!(header(&mails[1], "Message-ID"), Some(id));
    assert_eq!(
        header(&mails[1], "Subject").unwrap(),
        "RESOLVED: refunds answers 62.5 % in time"
    );
}

#[test]
fn over_tls_with_a_login() {
    for (tls, setting) in [
        (SmtpTls::StartTls, "required"),
        (SmtpTls::StartTls, "starttls"),
        (SmtpTls::Implicit, "implicit"),
    ] {
        let server = server(tls, true);
        let more = format!(
            "tls = \"{setting}\"\nca_file = \"{}\"\nuser = \"slawatch\"\npassword = \"hunter2\"",
            server.certificate().display()
        );
        let mut rig = Rig::start(&config(&server, &more));
        rig.evaluator_says(vec![alert("late", Firing, 1)]);
        rig.until_recorded("SENT mail firing late-1: 250 2.0.0 kept");
        assert!(kept(&server)[0].encrypted, "{setting}");
    }
}

#[test]
fn trouble_passes_and_the_message_keeps_its_id() {
    let server = server(SmtpTls::None, false);
    server
        .answer_with(&[
            "451 4.3.0 try again later",
            "drop",
            "452 4.2.2 mailbox full",
        ])
        .unwrap();
    let mut rig = Rig::start(&in_the_open(&server));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT mail firing late-1: 250 2.0.0 kept");
    let ids: Vec<_> = server
        .mails()
        .iter()
        .map(|mail| header(mail, "Message-ID").unwrap())
        .collect();
    assert_eq!(ids.len(), 3, "451, 452 and 250");
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    let server = server(SmtpTls::None, false);
    server.answer_with(&["hang"]).unwrap();
    let mut rig =
        Rig::start(&in_the_open(&server).replace("timeout = \"5s\"", "timeout = \"500ms\""));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT mail firing late-1: 250 2.0.0 kept");
}

#[test]
fn what_is_refused_for_good_is_recorded_with_the_answer() {
    let server = server(SmtpTls::None, false);
    server
        .answer_with(&["554 5.7.1 spam", "554 5.7.1 spam", "554 5.7.1 spam"])
        .unwrap();
    let mut rig = Rig::start(&in_the_open(&server));
    rig.evaluator_says(vec![alert("bad", Firing, 1)]);
    rig.until("a refusal", |rig| {
        let wanted = "REJECTED mail firing bad-1: permanent error (554): 5.7.1 spam";
        rig.notifications().iter().any(|line| line == wanted)
    });
}

#[test]
fn an_address_that_does_not_exist_keeps_it_from_no_other() {
    let server = server(SmtpTls::None, false);
    server.refuse(&["ops@example.com"]).unwrap();
    let mut rig = Rig::start(&in_the_open(&server));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded(
        "SENT mail firing late-1: 250 2.0.0 kept; but not for ops@example.com: permanent error (550): 5.1.1 no such user here",
    );
    assert_eq!(kept(&server)[0].to, ["maria@example.com"]);
    server
        .refuse(&["ops@example.com", "maria@example.com"])
        .unwrap();
    rig.evaluator_says(vec![alert("bad", Firing, 1)]);
    rig.until_recorded(
        "REJECTED mail firing bad-1: permanent error (550): 5.1.1 no such user here",
    );
}

#[test]
fn a_login_or_certificate_that_is_wrong_is_mended_sooner_or_later() {
    let server = server(SmtpTls::StartTls, true);
    let right = format!(
        "ca_file = \"{}\"\nuser = \"slawatch\"\npassword = \"hunter2\"",
        server.certificate().display()
    );
    for (wrong, expected) in [
        (right.replace("hunter2", "wrong"), "535"),
        (right.replace("ca_file", "# ca_file"), "unknownissuer"),
        ("tls = \"none\"".to_owned(), "530"),
    ] {
        let config = toml::from_str(&config(&server, &wrong)).unwrap();
        let world = tokio::runtime::Runtime::new().unwrap();
        let told = world
            .block_on(slawatch_dispatcher::trial::run(&config, "mail", 0))
            .unwrap();
        let slawatch_dispatcher::delivery::Answer::Trouble { detail, .. } = &told[0].answer else {
            panic!("{told:?}");
        };
        assert!(detail.to_lowercase().contains(expected), "{detail}");
        assert!(
            !detail.contains("hunter2") && !detail.contains("wrong"),
            "{detail}"
        );
    }
    assert_eq!(server.mails(), []);
}
