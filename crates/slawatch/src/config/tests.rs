//! Configurations as people write them, and what they are told.

use std::ffi::OsString;

use super::*;

const PATH: &str = "/etc/slawatch/slawatch.toml";

fn examine(text: &str, variables: &[(&str, &str)]) -> Examined {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    reading::examine(Path::new(PATH), text, variables.collect())
}

/// The one configuration of a good text.
fn good(text: &str, variables: &[(&str, &str)]) -> Config {
    let examined = examine(text, variables);
    assert_eq!(told(&examined), [""; 0]);
    examined.config
}

fn told(examined: &Examined) -> Vec<String> {
    examined.mistakes.iter().map(Mistake::to_string).collect()
}

#[test]
fn files_are_named_relative_to_the_configuration() {
    let config = good(
        "policies = [\"a.toml\", \"/b.toml\"]\n[snapshots]\npath = \"s\"\n[tracker]\nmapping = \"m.toml\"",
        &[],
    );
    assert_eq!(
        config.policies,
        [Path::new("/etc/slawatch/a.toml"), Path::new("/b.toml")]
    );
    assert_eq!(config.snapshots.path, Path::new("/etc/slawatch/s"));
    assert_eq!(
        config.tracker.mapping.as_deref(),
        Some(Path::new("/etc/slawatch/m.toml"))
    );
    assert_eq!(config.roles, Role::all());
}

#[test]
fn the_example_is_good_and_says_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/slawatch.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let said = good(&text, &[]);
    let defaults = good("policies = [\"policies/contract.toml\"]", &[]);
    let shown = |config: &Config| {
        format!(
            "{:?}",
            (
                &config.kafka,
                &config.topics,
                &config.tracker,
                &config.snapshots
            )
        )
    };
    assert_eq!(shown(&said), shown(&defaults));
    assert_eq!(said.board.listen, defaults.board.listen);
    assert_eq!(said.clickhouse.url, defaults.clickhouse.url);
}

#[test]
fn each_mistake_is_named_with_its_place_and_what_to_write() {
    const P: &str = "policies = [\"p\"]\n";
    let mut wrong = Vec::new();
    for (text, expected) in [
        (
            "policies = []",
            ":1: policies: no file is named; name at least one policy set",
        ),
        (
            "",
            ":1: policies: no file is named; name at least one policy set",
        ),
        ("policies = [", ":1: this is not TOML: "),
        (
            "policies = [\"p\"]\nkafca = 1",
            ":2: kafca: there is no such setting; write kafka",
        ),
        (
            "[tracker]\nallowed_delay = \"2 days\"",
            ":3: tracker.allowed_delay: \"2 days\" is no duration; write it like \"500ms\", \"2s\" or \"1h30m\"",
        ),
        (
            "[tracker]\nworker = 2",
            ":3: tracker.worker: there is no such setting; write workers",
        ),
        (
            "[tracker]\nworkers = \"2\"",
            ":3: tracker.workers: write a whole number from 0 to 18446744073709551615, without quotes",
        ),
        (
            "[tracker]\nworkers = 0",
            ":3: tracker.workers: 0 is out of range; write 1 to 1024",
        ),
        (
            "[tracker]\naccept_gap = \"yes\"",
            ":3: tracker.accept_gap: write true or false, without quotes",
        ),
        (
            "[tracker]\nencoding = \"jsn\"",
            ":3: tracker.encoding: there is no \"jsn\" here; write json",
        ),
        (
            "[tracker]\nalert_attributes = [\"category\", \"chanel\"]",
            ":3: tracker.alert_attributes[2]: tickets have no attribute \"chanel\"; write channel",
        ),
        (
            "[tracker]\nalert_attributes = [\"labels.\"]",
            ":3: tracker.alert_attributes[1]: tickets have no attribute \"labels.\"; write vendor, queue, priority, ",
        ),
        (
            "roles = [\"board\", \"trackers\"]",
            ":2: roles[2]: there is no \"trackers\" here; write tracker",
        ),
        (
            "roles = []",
            ":2: roles: a process without a role does nothing; ",
        ),
        (
            "roles = [\"board\", \"board\"]",
            ":2: roles: board stands here twice; write it once",
        ),
        (
            "rules = [\"a\", \"b\"]",
            ":2: rules: several files are named; put all rules into one",
        ),
        (
            "rules = \"a\"",
            ":2: rules: a text stands here; write a list such as [\"a\", \"b\"]",
        ),
        (
            "kafka = 1",
            ":2: kafka: a number stands here; write a table",
        ),
        (
            "[kafka]\nbrokers = \"\"",
            ":3: kafka.brokers: a broker has no name; write host:port",
        ),
        (
            "[kafka]\nbrokers = 2026-01-01",
            ":3: kafka.brokers: a date stands here; write a text in quotes",
        ),
        (
            "[kafka.properties]\n\"sasl.password\" = { fil = \"p\" }",
            ":3: kafka.properties.sasl.password: a table stands here; write a text in quotes, { env = \"NAME\" } or",
        ),
        (
            "[kafka.properties]\n\"sasl.password\" = { env = \"SLAWATCH_TEST_NOT_SET\" }",
            "the environment variable SLAWATCH_TEST_NOT_SET is not set; set it, or name another",
        ),
        (
            "[kafka.properties]\n\"sasl.password\" = { file = \"/nothing/here\" }",
            "the file /nothing/here cannot be read: No such file or directory (os error 2); name one that can",
        ),
        (
            "[kafka.properties]\n\"a.b\" = {}",
            "the table is empty; write { env = \"NAME\" }",
        ),
        (
            "[kafka.properties]\n\"a.b\" = { file = \"/etc/hostname\", env = \"HOME\" }",
            "the secret comes from one place only; leave env or file out",
        ),
        (
            "[topics]\npartitions = 0",
            ":3: topics.partitions: 0 is out of range; write 1 to 10000",
        ),
        (
            "[topics]\nsignals = \"a b\"",
            ":3: topics.signals: Kafka knows no such name; ",
        ),
        (
            "[topics]\nsignals = \"ticket-events\"",
            ":3: topics.signals: ticket_events has the same name, and would read what is not meant for it; give each",
        ),
        (
            "[topics.retention]\nalerts = \"1h\"",
            ":3: topics.retention.alerts: 1h is less than what is read again at a start (a day for the board, all since \
             the oldest snapshot for the rest); write at least \"26h\"",
        ),
        (
            "topics.retention.signals = \"30h\"\nsnapshots = { every = \"20h\", keep = 3 }",
            ":2: topics.retention.signals: 30h is less than what is read again at a start (a day for the board, all since \
             the oldest snapshot for the rest); write at least \"80h\"",
        ),
        (
            "[topics.retention]\ndead_letters = \"1m\"",
            ":3: topics.retention.dead_letters: the loader must be given time to read them; write at least \"1h\"",
        ),
        (
            "[snapshots]\nevery = \"10ms\"",
            ":3: snapshots.every: a snapshot takes longer than that; write at least \"1s\"",
        ),
        (
            "[tracker]\npane_horizon = \"1m\"",
            ":3: tracker.pane_horizon: late events would all be corrections; ",
        ),
        (
            "[clickhouse.ttl_days]\nevents = 3",
            ":3: clickhouse.ttl_days.events: there is no such table; write one of ticket_events, panes,",
        ),
        (
            "[clickhouse]\nurl = \"nonsense\"",
            ":3: clickhouse.url: ClickHouse address \"nonsense\" cannot be used: ",
        ),
        (
            "[clickhouse]\nurl = \"http://me:planted@h:1\"",
            ":3: clickhouse.url: user and password do not belong into the address; write clickhouse.user, and the \
             password into SLAWATCH_CLICKHOUSE__PASSWORD",
        ),
        (
            "[board]\nlisten = \"8080\"",
            ":3: board.listen: \"8080\" is no address and port; write it like \"127.0.0.1:8080\"",
        ),
        (
            "[board]\ntime_zone = \"Manila\"",
            ":3: board.time_zone: there is no time zone \"Manila\": write an IANA name such as \"Asia/Manila\" or \"UTC\"",
        ),
        (
            "[board]\nlisten = \"0.0.0.0:8080\"",
            ":3: board.listen: 0.0.0.0:8080 can be reached from other machines, and nobody has a token: give people one in \
             board.access.tokens, listen on 127.0.0.1, or say board.access.open = true",
        ),
        (
            "[board.access]\ntokens = [{ name = \"ana\", role = \"act\", token = \"planted\" }]",
            ":3: board.access.tokens: the token of \"ana\" can be guessed: it has fewer than 16 characters; make one with \
             `openssl rand -hex 32`",
        ),
        (
            "[board.access]\ntokens = [{ name = \"ana\", role = \"admin\", token = \"planted-0123456789\" }]",
            ":3: board.access.tokens[1].role: there is no \"admin\" here; write one of view, act",
        ),
        (
            "[board.access]\ntokens = [{ name = \"ana\", role = \"act\", token = { env = \"NO_SUCH_TOKEN\" } }]",
            ":3: board.access.tokens[1].token: the environment variable NO_SUCH_TOKEN is not set; set it, or name another",
        ),
        (
            "[dispatcher]\nboard_url = \"https://b.example.com\"\nlink_secret = \"planted\"",
            ":4: dispatcher.link_secret: the secret of links can be guessed: it has fewer than 16 characters; make one with \
             `openssl rand -hex 32`",
        ),
        (
            "[health]\nlisten = \"x\"",
            ":3: health.listen: \"x\" is no address and port; ",
        ),
        (
            "[logs]\nlevel = \"!!\"",
            ":3: logs.level: \"!!\" is no filter (",
        ),
        (
            "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"",
            ":2: dispatcher.receiver[1].url: receiver \"a\": type \"webhook\" needs url: the address that it is told at",
        ),
        (
            "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = 7",
            ":5: dispatcher.receiver[1].url: write a text in quotes, { env = \"NAME\" } or { file = \"/path\" }",
        ),
        (
            "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"https://u\"\nconcurrency = 0",
            "receiver \"a\": concurrency = 0 is out of range: 1 to 64 are accepted",
        ),
    ] {
        let text = if text.contains("policies") || text.is_empty() {
            text.to_owned()
        } else {
            format!("{P}{text}")
        };
        let told = told(&examine(&text, &[]));
        let is_right = told.len() == 1
            && told[0].starts_with(PATH)
            && told[0].contains(expected)
            && !told[0].contains("planted");
        if !is_right {
            wrong.push(format!("{text:?}: {told:#?}\nexpected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_mistakes_are_told_in_one_run_and_the_rest_is_read() {
    let text = r#"
policies = ["p.toml"]
traker = { workers = 2 }
[kafka]
broker = "k:9092"
brokers = "k:9093"
[tracker]
workers = "two"
allowed_delay = "soon"
[[dispatcher.receiver]]
name = "a"
type = "webhok"
url = "https://u"
[[dispatcher.receiver]]
name = "b"
type = "webhook"
url = "https://u"
retry_min = 5
[board]
listen = "nowhere"
"#;
    let examined = examine(text, &[("SLAWATCH_TOPICS__PARTITIONS", "many")]);
    let settings: Vec<_> = examined
        .mistakes
        .iter()
        .map(|mistake| (mistake.place.to_string(), mistake.setting.as_str()))
        .collect();
    let line = |line: usize| format!("{PATH}:{line}");
    let expected = [
        (line(3), "traker"),
        (line(5), "kafka.broker"),
        (line(8), "tracker.workers"),
        (line(9), "tracker.allowed_delay"),
        (line(12), "dispatcher.receiver[1].type"),
        (line(18), "dispatcher.receiver[2].retry_min"),
        (line(20), "board.listen"),
        (
            "variable SLAWATCH_TOPICS__PARTITIONS".to_owned(),
            "topics.partitions",
        ),
    ];
    assert_eq!(settings, expected);
    assert_eq!(examined.config.kafka.brokers, "k:9093");
    assert_eq!(
        examined.config.policies,
        [Path::new("/etc/slawatch/p.toml")]
    );
}

#[test]
fn variables_go_before_the_file_and_are_what_their_setting_takes() {
    let config = good(
        "policies = [\"p\"]\n[tracker]\nworkers = 7\n[clickhouse]\npassword = \"of the file\"",
        &[
            ("SLAWATCH_TRACKER__WORKERS", "3"),
            ("SLAWATCH_TRACKER__ACCEPT_GAP", "true"),
            ("SLAWATCH_TRACKER__ALLOWED_DELAY", "5s"),
            ("SLAWATCH_ROLES", "tracker, loader"),
            ("SLAWATCH_POLICIES", "[\"/a,b.toml\", \"/c.toml\"]"),
            ("SLAWATCH_CLICKHOUSE__PASSWORD", "007"),
            ("SLAWATCH_CLICKHOUSE__USER", "true"),
            ("SLAWATCH_KAFKA__PROPERTIES__SASL_PASSWORD", "[12,{"),
            ("SLAWATCH_KAFKA__PROPERTIES__security.protocol", "sasl_ssl"),
            ("SLAWATCH_HEALTH__LISTEN", "127.0.0.1:0"),
            // Others' business.
            ("SLAWATCH_CACHE_DIR", "/cache"),
            ("SLAWATCH_PORT", "tcp://10.0.0.1:8080"),
            ("SLAWATCH_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("SLAWATCH_SERVICE_HOST", "10.0.0.1"),
            ("SLAWATCHER", "1"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!(config.tracker.workers, 3);
    assert!(config.tracker.accept_gap);
    assert_eq!(config.tracker.allowed_delay.as_ms(), 5_000);
    assert_eq!(config.roles, [Role::Tracker, Role::Loader]);
    assert_eq!(
        config.policies,
        [Path::new("/a,b.toml"), Path::new("/c.toml")]
    );
    let clickhouse = config.clickhouse.options();
    assert_eq!(clickhouse.password.as_deref(), Some("007"));
    assert_eq!(clickhouse.user.as_deref(), Some("true"));
    let properties = config.kafka.options().properties;
    assert_eq!(properties["sasl.password"], "[12,{");
    assert_eq!(properties["security.protocol"], "sasl_ssl");
    assert_eq!(config.health.listen.as_deref(), Some("127.0.0.1:0"));
}

#[test]
fn a_variable_may_name_the_file_that_holds_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, " 12345678 \n").unwrap();
    let file = file.to_str().unwrap();
    let config = good(
        &format!(
            "policies = [\"p\"]\n[kafka.properties]\n\"ssl.key.password\" = {{ file = \"{file}\" }}"
        ),
        &[
            ("SLAWATCH_CLICKHOUSE__PASSWORD_FILE", file),
            ("SLAWATCH_KAFKA__PROPERTIES__SASL_PASSWORD_FILE", file),
        ],
    );
    assert_eq!(
        config.clickhouse.options().password.as_deref(),
        Some(" 12345678 ")
    );
    let properties = config.kafka.options().properties;
    assert_eq!(properties["sasl.password"], " 12345678 ");
    assert_eq!(properties["ssl.key.password"], " 12345678 ");

    let examined = examine(
        "policies = [\"p\"]",
        &[
            ("SLAWATCH_CLICKHOUSE__PASSWORD", "1"),
            ("SLAWATCH_CLICKHOUSE__PASSWORD_FILE", file),
            ("SLAWATCH_CLICKHOUSE__USER_FILE", "/nothing/here"),
            ("SLAWATCH_TRAKER__WORKERS", "2"),
            ("SLAWATCH_TRACKER__WORKER", "2"),
        ],
    );
    let mut told = told(&examined);
    told.sort();
    let [given_twice, unread, worker, traker] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(
        given_twice,
        "variable SLAWATCH_CLICKHOUSE__PASSWORD_FILE: clickhouse.password is given twice, itself and by a variable ending \
         with _FILE; unset one of them"
    );
    assert!(
        unread.starts_with(
            "variable SLAWATCH_CLICKHOUSE__USER_FILE: the file /nothing/here cannot be read: No such file"
        ),
        "{unread}"
    );
    assert_eq!(
        worker,
        "variable SLAWATCH_TRACKER__WORKER: tracker.worker: there is no such setting; write workers"
    );
    assert_eq!(
        traker,
        "variable SLAWATCH_TRAKER__WORKERS: traker: there is no such setting; write tracker"
    );
}

/// What a secret may look like: digits, lists, tables, what is no TOML at all.
const PLANTED: [&str; 5] = [
    "31415926",
    "[31415926]",
    "{ a = 31415926 }",
    "true31415926",
    "31415926\"",
];

#[test]
fn secrets_are_read_whatever_they_look_like_and_shown_nowhere() {
    for planted in PLANTED {
        // One that can be guessed is refused.
        let long = planted.repeat(2);
        let examined = examine(
            "policies = [\"p\"]",
            &[
                ("SLAWATCH_CLICKHOUSE__PASSWORD", planted),
                ("SLAWATCH_KAFKA__PROPERTIES__SASL_PASSWORD", planted),
                ("SLAWATCH_DISPATCHER__BOARD_URL", "https://board"),
                ("SLAWATCH_DISPATCHER__LINK_SECRET", &long),
            ],
        );
        assert!(examined.mistakes.is_empty(), "{:?}", examined.mistakes);
        assert_eq!(
            examined.config.clickhouse.options().password.as_deref(),
            Some(planted)
        );
        assert!(!format!("{examined:?}").contains("31415926"));
    }
}

#[test]
fn a_mistake_of_a_receiver_is_told_at_its_own_line() {
    let text = r#"policies = ["p"]
[dispatcher]
board_url = "board"
[[dispatcher.receiver]]
name = "one"
type = "webhook"
url = "https://one"
[[dispatcher.receiver]]
name = "two"
type = "webhook"
url = "https://two"
body = """
{{ summary }}
{{ sumary }}
"""
[[dispatcher.receiver]]
name = "three"
type = "email"
email = { host = "h", from = "nobody", to = ["t@h"] }
"#;
    let told = told(&examine(text, &[]));
    let starts = [
        ":3: dispatcher.board_url: board_url: it is no address; write it like \"https://slawatch.example.com\"",
        ":12: dispatcher.receiver[2].body: receiver \"two\": body, line 2: undefined value",
        ":19: dispatcher.receiver[3].email.from: receiver \"three\": email.from is not usable: \"nobody\" is no address",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(&format!("{PATH}{start}")), "{told}");
    }
}

#[test]
fn no_mistake_shows_what_stands_where_a_secret_belongs() {
    for text in [
        "[clickhouse]\npassword = 31415926",
        "[clickhouse]\npassword = [31415926]",
        "[clickhouse]\npassword = { 31415926 = 1 }",
        "[clickhouse]\npassword = { env = 31415926 }",
        "[clickhouse]\npassword = true31415926",
        "[clickhouse]\npassword = s31415926",
        "[clickhouse]\npassword = \"31415926",
        "[clickhouse]\npassword = \"31415926\\q\"",
        "[clickhouse]\npassword = \"31415926\" 31415926",
        "[clickhouse]\npassword = 3141592631415926314159263141592631415926",
        "[clickhouse]\npassword = \"1\"\npassword = \"31415926\"",
        "[clickhouse]\nurl = \"http://u:31415926@h\"",
        "[clickhouse]\nurl = \"31415926@h\"",
        "clickhouse = 31415926",
        "clickhouse = \"31415926\"",
        "[kafka]\nproperties = \"31415926\"",
        "[kafka.properties]\n\"sasl.password\" = 31415926",
        "[kafka.properties]\nsasl.password = \"31415926\"",
        "[kafka.properties]\nsasl.password = 31415926",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = 31415926",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"u\"\nhmac_key = 31415926",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"u\"\nheaders = { A = 31415926 }",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"u\"\nheaders = \"31415926\"",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"http://10.0.0.1/31415926\"",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"pagerduty\"\nrouting_key = 31415926",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"slack\"\ntoken = \"31415926\"",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"slack\"\ntoken = { file = 31415926 }\nchannel = \"C1\"",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"teams\"\nurl = \"ftp://t/?sig=31415926\"",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"email\"\nemail = { host = \"h\", from = \"f@h\", to = [], user = \"u\", password = \"31415926\" }",
        "[[dispatcher.receiver]]\nname = \"a\"\ntype = \"email\"\nemail = { host = \"h\", from = \"f@h\", to = [\"t@h\"], password = 31415926 }",
        "[dispatcher]\nlink_secret = \"31415926\"",
        "[dispatcher]\nlink_secret = 31415926",
    ] {
        let text = format!("policies = [\"p\"]\n{text}");
        let examined = examine(&text, &[]);
        assert!(!examined.mistakes.is_empty(), "{text}");
        let error = examined.clone().into_config(Path::new(PATH)).unwrap_err();
        let debug = format!("{error:?}");
        let shown = format!("{examined:?}\n{debug}\n{:#}", anyhow::Error::new(error));
        // Of a table the keys are no secrets.
        let shown = shown.replace("clickhouse.password.31415926", "");
        assert!(!shown.contains("31415926"), "{text}: {shown}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told_once() {
    let error = Config::read(Path::new("/nothing/here.toml")).unwrap_err();
    assert_eq!(
        format!("{:#}", anyhow::Error::new(error)),
        "cannot read the configuration /nothing/here.toml: No such file or directory (os error 2); name another file with \
         --config, or start from examples/slawatch.toml"
    );
}

#[test]
fn durations_are_shown_as_they_are_written() {
    for text in ["0h", "26h", "90m", "61s", "1500ms"] {
        let duration: Duration = toml::Value::String(text.to_owned()).try_into().unwrap();
        assert_eq!(duration.to_string(), text);
    }
}
