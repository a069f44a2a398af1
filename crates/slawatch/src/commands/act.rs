//! `slawatch ack`, `silence` and `mark-change`: what people do on the board, from a shell, straight to Kafka.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use slawatch_board::{
    Acknowledge, ActionWriter, Change, EndSilence, Mistakes, Moment, SILENCE_MOST_MS, Who,
};
use slawatch_stream::{Clock, KafkaLog, SystemClock};
use slawatch_wire::v1::Action;

use crate::config::Config;

/// What every action has.
#[derive(Args, Debug)]
struct Common {
    /// Why, for those who wonder.
    #[arg(long, default_value = "", value_name = "TEXT")]
    reason: String,
    /// Who does it.
    #[arg(long, env = "USER", default_value = "", value_name = "NAME")]
    author: String,
    /// Repeated under the same id within a day, it is done once; default: a new one.
    #[arg(long, value_name = "ID")]
    action_id: Option<String>,
    /// The configuration file: brokers and topics.
    #[arg(long, default_value = "slawatch.toml", value_name = "FILE")]
    config: PathBuf,
}

/// Acknowledges an alert that fires: nobody further is called, unless it gets worse.
#[derive(Args, Debug)]
pub(super) struct Ack {
    /// The alert's key, as in messages and on the board.
    #[arg(value_name = "KEY")]
    key: String,
    /// Its episode; default: the one that fires.
    #[arg(long, default_value = "", value_name = "ID")]
    incident: String,
    /// Whose alert it is; default: not said, and every partition is told.
    #[arg(long, default_value = "", value_name = "NAME")]
    vendor: String,
    #[command(flatten)]
    common: Common,
}

/// Tells nobody of alerts that match (globs with *; what is left out matches all), from now or --from, for a time or until an
/// instant. Alerts still show on the board.
#[derive(Args, Debug)]
pub(super) struct Silence {
    #[arg(long, default_value = "", value_name = "GLOB")]
    vendor: String,
    #[arg(long, default_value = "", value_name = "GLOB")]
    queue: String,
    #[arg(long, default_value = "", value_name = "GLOB")]
    rule: String,
    #[arg(long, default_value = "", value_name = "GLOB")]
    ticket: String,
    /// Its begin; default: now.
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// How long, such as 2h or 90m.
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    lasts: Option<String>,
    /// Its end, such as 2026-01-05T10:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Ends the silence of this id instead.
    #[arg(long, value_name = "ID", conflicts_with_all = ["queue", "rule", "ticket", "from", "lasts", "until"])]
    end: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Marks a change of SOP or product, which `change` rules compare before and after.
#[derive(Args, Debug)]
pub(super) struct MarkChange {
    /// Whose; default: every vendor's.
    #[arg(long, default_value = "", value_name = "NAME")]
    vendor: String,
    /// Which queue's; default: every one's.
    #[arg(long, default_value = "", value_name = "NAME")]
    queue: String,
    /// When; default: now.
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Ack {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let desk = Desk::open(&self.common)?;
        let asked = Acknowledge {
            key: self.key,
            incident: self.incident,
            vendor: self.vendor,
            reason: self.common.reason.clone(),
            ..Acknowledge::default()
        };
        let action = asked.action(desk.who(&self.common));
        desk.write(action, |action| {
            format!("{} sees to {}", action.author, action.alert_key)
        })
    }
}

impl Silence {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let desk = Desk::open(&self.common)?;
        if let Some(silence_id) = self.end {
            let asked = EndSilence {
                silence_id,
                vendor: self.vendor,
                reason: self.common.reason.clone(),
                ..EndSilence::default()
            };
            let action = asked.action(desk.who(&self.common));
            return desk.write(action, |action| {
                format!("the silence {} ends now", action.silence_id)
            });
        }
        let ends_at = match (&self.lasts, &self.until) {
            (Some(lasts), _) => Some(Moment::Ms(
                desk.starts_ms(self.from.as_ref()) + lasts_ms(lasts)?,
            )),
            (None, until) => until.clone().map(Moment::Text),
        };
        let asked = slawatch_board::Silence {
            vendor: self.vendor,
            queue: self.queue,
            rule: self.rule,
            ticket_id: self.ticket,
            starts_at: self.from.map(Moment::Text),
            ends_at,
            reason: self.common.reason.clone(),
            ..slawatch_board::Silence::default()
        };
        let action = asked.action(desk.who(&self.common));
        desk.write(action, |action| {
            format!(
                "silenced {} from {} until {}; end it early with: slawatch silence --end {}",
                globs(action),
                instant(action.starts_ms.unwrap_or(action.at_ms)),
                action.until_ms.map_or_else(String::new, instant),
                action.action_id
            )
        })
    }
}

impl MarkChange {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let desk = Desk::open(&self.common)?;
        let asked = Change {
            vendor: self.vendor,
            queue: self.queue,
            at: self.at.map(Moment::Text),
            reason: self.common.reason.clone(),
            ..Change::default()
        };
        let action = asked.action(desk.who(&self.common));
        desk.write(action, |action| {
            format!(
                "marked a change of {} at {}: {}",
                globs(action),
                instant(action.starts_ms.unwrap_or(action.at_ms)),
                action.reason
            )
        })
    }
}

fn lasts_ms(text: &str) -> anyhow::Result<i64> {
    let duration = text.parse::<jiff::SignedDuration>().ok();
    let ms = duration.and_then(|duration| i64::try_from(duration.as_millis()).ok());
    ms.filter(|ms| (1..=SILENCE_MOST_MS).contains(ms)).with_context(|| {
        format!("--for {text:?} is no duration that fits; write it like \"90m\" or \"2h\", up to \"720h\"")
    })
}

fn globs(action: &Action) -> String {
    let named = [
        ("vendor", &action.vendor),
        ("queue", &action.queue),
        ("rule", &action.rule),
        ("ticket", &action.ticket_id),
    ];
    let named = named.iter().filter(|(_, glob)| !glob.is_empty());
    let named: Vec<String> = named.map(|(name, glob)| format!("{name} {glob}")).collect();
    if named.is_empty() {
        "everything".to_owned()
    } else {
        named.join(", ")
    }
}

fn instant(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// Where actions are written.
struct Desk {
    writer: ActionWriter,
    brokers: String,
    now_ms: i64,
}

impl Desk {
    fn open(common: &Common) -> anyhow::Result<Self> {
        let config = Config::read(&common.config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log = KafkaLog::new(config.kafka.options(), Arc::clone(&clock));
        let now_ms = clock.wall_ms();
        let (writer, _) = ActionWriter::start(Arc::new(log), &config.topics.signals, clock)
            .context("cannot start the thread that writes to Kafka")?;
        Ok(Self {
            writer,
            brokers: config.kafka.brokers,
            now_ms,
        })
    }

    fn starts_ms(&self, from: Option<&String>) -> i64 {
        from.and_then(|from| from.parse::<jiff::Timestamp>().ok())
            .map_or(self.now_ms, jiff::Timestamp::as_millisecond)
    }

    fn who(&self, common: &Common) -> Who {
        let id = format!("cli-{}-{}", self.now_ms, std::process::id());
        Who {
            author: common.author.clone(),
            action_id: common.action_id.clone().unwrap_or(id),
            at_ms: self.now_ms,
        }
    }

    fn write(
        &self,
        action: Result<Action, Mistakes>,
        done: impl Fn(&Action) -> String,
    ) -> anyhow::Result<ExitCode> {
        let action = match action {
            Ok(action) => action,
            Err(mistakes) => {
                for mistake in &mistakes.0 {
                    eprintln!("slawatch: {}: {}", option(mistake.field), mistake.message);
                }
                return Ok(ExitCode::FAILURE);
            }
        };
        self.writer
            .write_blocking(action.clone())
            .with_context(|| format!("nothing is known to be done by Kafka at {}", self.brokers))?;
        println!("{}", done(&action));
        println!(
            "written to Kafka as {}; it takes effect when evaluator and dispatcher have read it",
            action.action_id
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A field of the API as it is called here.
fn option(field: &str) -> String {
    match field {
        "key" => "KEY".to_owned(),
        "ends_at" => "--until or --for".to_owned(),
        "starts_at" => "--from".to_owned(),
        "ticket_id" => "--ticket".to_owned(),
        "silence_id" => "--end".to_owned(),
        "action_id" => "--action-id".to_owned(),
        other => format!("--{other}"),
    }
}
