//! What no setting shows by itself: values out of range, names that clash, addresses that are none.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use slawatch_board::{AccessSetting, Zone};
use slawatch_dispatcher::DispatcherError;
use slawatch_loader::Table;
use tracing_subscriber::EnvFilter;

use super::{Config, Duration};

/// The keys of a setting, and what is wrong with it.
pub(super) type Found<'c> = (Vec<&'c str>, String);

/// Every mistake, in no order.
pub(super) fn check(config: &Config) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    whole(config, &mut found);
    kafka(config, &mut found);
    topics(config, &mut found);
    retention(config, &mut found);
    numbers(config, &mut found);
    clickhouse(config, &mut found);
    addresses(config, &mut found);
    logs(config, &mut found);
    if let Err(error) = Zone::named(&config.board.time_zone) {
        found.push((vec!["board", "time_zone"], error.to_string()));
    }
    for mistake in config.dispatcher.mistakes() {
        found.push((dispatcher_keys(config, &mistake), mistake.to_string()));
    }
    found
}

/// The receiver's field, if it is about one; of several receivers each is known by its name.
fn dispatcher_keys<'c>(config: &'c Config, mistake: &DispatcherError) -> Vec<&'c str> {
    let Some((receiver, field)) = mistake.place() else {
        return vec!["dispatcher"];
    };
    let mut all = config.dispatcher.receivers.iter();
    let named = all.find(|known| Some(known.name.as_str()) == receiver);
    let of_receiver = receiver.is_some().then_some("receiver");
    let head = std::iter::once("dispatcher").chain(of_receiver);
    let keys = head.chain(named.map(|known| known.name.as_str()));
    keys.chain(field.split('.')).collect()
}

fn whole<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    if config.policies.is_empty() {
        let message = "no file is named; name at least one policy set".to_owned();
        found.push((vec!["policies"], message));
    }
    if config.rules.len() > 1 {
        let message = "several files are named; put all rules into one".to_owned();
        found.push((vec!["rules"], message));
    }
    let mut roles = config.roles.clone();
    roles.sort_unstable();
    if roles.is_empty() {
        let message =
            "a process without a role does nothing; name one, or leave the setting out for all";
        found.push((vec!["roles"], message.to_owned()));
    }
    if let Some(twice) = roles.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("{} stands here twice; write it once", twice[0].name());
        found.push((vec!["roles"], message));
    }
}

fn kafka<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let brokers = config.kafka.brokers.split(',').map(str::trim);
    if brokers.into_iter().any(str::is_empty) {
        let message = "a broker has no name; write host:port, several separated by commas";
        found.push((vec!["kafka", "brokers"], message.to_owned()));
    }
}

fn topics<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let topics = &config.topics;
    let names = [
        ("ticket_events", &topics.ticket_events),
        ("signals", &topics.signals),
        ("alerts", &topics.alerts),
        ("notifications", &topics.notifications),
        ("dead_letters", &topics.dead_letters),
    ];
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (setting, name) in names {
        let is_legal = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if name.is_empty() || name.len() > 249 || !name.chars().all(is_legal) {
            let message = "Kafka knows no such name; write up to 249 letters, digits, dots, dashes and underscores";
            found.push((vec!["topics", setting], message.to_owned()));
        }
        if let Some(other) = known.insert(name, setting) {
            let message = format!(
                "{other} has the same name, and would read what is not meant for it; give each topic its own"
            );
            found.push((vec!["topics", setting], message));
        }
    }
}

/// The board reads this far back when it starts, and whoever was away so long has lost nothing.
const LEAST_MS: i64 = 26 * 3_600_000;

fn retention<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let kept = &config.topics.retention;
    let snapshots = &config.snapshots;
    // The oldest snapshot that a takeover may fall back to must find the records after it.
    let spanned_ms = (snapshots.keep as i64 + 1).saturating_mul(snapshots.every.as_ms());
    let least = Duration::from_ms(LEAST_MS.max(spanned_ms));
    for (setting, kept) in [
        ("signals", kept.signals),
        ("alerts", kept.alerts),
        ("notifications", kept.notifications),
    ] {
        if kept.as_ms() < least.as_ms() {
            let message = format!(
                "{kept} is less than what is read again at a start (a day for the board, all since the oldest snapshot \
                 for the rest); write at least \"{least}\""
            );
            found.push((vec!["topics", "retention", setting], message));
        }
    }
    if kept.dead_letters.as_ms() < 3_600_000 {
        let message =
            "the loader must be given time to read them; write at least \"1h\"".to_owned();
        found.push((vec!["topics", "retention", "dead_letters"], message));
    }
}

fn numbers<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let mut within = |keys: [&'static str; 2], value: u64, least: u64, most: u64| {
        if !(least..=most).contains(&value) {
            let message = format!("{value} is out of range; write {least} to {most}");
            found.push((keys.to_vec(), message));
        }
    };
    within(
        ["tracker", "workers"],
        config.tracker.workers as u64,
        1,
        1_024,
    );
    within(
        ["topics", "partitions"],
        config.topics.partitions.into(),
        1,
        10_000,
    );
    within(
        ["topics", "replication"],
        config.topics.replication.into(),
        1,
        100,
    );
    within(
        ["snapshots", "keep"],
        config.snapshots.keep as u64,
        1,
        1_000,
    );
    if config.snapshots.every.as_ms() < 1_000 {
        let message = "a snapshot takes longer than that; write at least \"1s\"".to_owned();
        found.push((vec!["snapshots", "every"], message));
    }
    if config.tracker.pane_horizon.as_ms() < 3_600_000 {
        let message = "late events would all be corrections; write at least \"1h\"".to_owned();
        found.push((vec!["tracker", "pane_horizon"], message));
    }
}

fn clickhouse<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let clickhouse = &config.clickhouse;
    if clickhouse.url.contains('@') {
        let message = "user and password do not belong into the address; write clickhouse.user, and the password into \
                       SLAWATCH_CLICKHOUSE__PASSWORD";
        found.push((vec!["clickhouse", "url"], message.to_owned()));
    } else if let Err(error) = clickhouse.options().client() {
        found.push((vec!["clickhouse", "url"], error.to_string()));
    }
    let known = Table::ALL.map(Table::name);
    for name in clickhouse.ttl_days.keys() {
        if !known.contains(&name.as_str()) {
            let message = format!("there is no such table; write one of {}", known.join(", "));
            found.push((vec!["clickhouse", "ttl_days", name], message));
        }
    }
}

fn addresses<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    let mut listens = vec![("board", config.board.listen.as_str())];
    listens.extend(
        config
            .health
            .listen
            .as_deref()
            .map(|listen| ("health", listen)),
    );
    // A secret that cannot be read is told when it is needed, as those of receivers are.
    let access = config.board.access_options(&config.dispatcher);
    if let (Ok(listen), Ok(access)) = (config.board.listen.parse(), access) {
        let mistakes = access.mistakes(listen).into_iter();
        found.extend(mistakes.filter_map(|mistake| {
            let keys = match mistake.setting {
                AccessSetting::Listen => vec!["board", "listen"],
                AccessSetting::Tokens => vec!["board", "access", "tokens"],
                AccessSetting::LinkSecret => vec!["dispatcher", "link_secret"],
                // The dispatcher tells of it, too.
                AccessSetting::Url => return None,
            };
            Some((keys, mistake.message))
        }));
    }
    for (table, listen) in listens {
        if listen.parse::<SocketAddr>().is_err() {
            let message =
                format!("{listen:?} is no address and port; write it like \"127.0.0.1:8080\"");
            found.push((vec![table, "listen"], message));
        }
    }
}

fn logs<'c>(config: &'c Config, found: &mut Vec<Found<'c>>) {
    if let Err(error) = EnvFilter::try_new(&config.logs.level) {
        let level = &config.logs.level;
        let message = format!(
            "{level:?} is no filter ({error}); write \"info\", or \"info,slawatch_stream=debug\""
        );
        found.push((vec!["logs", "level"], message));
    }
}
