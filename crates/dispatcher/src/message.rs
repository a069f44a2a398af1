//! What people read: titles and texts by `minijinja` templates, the built-in ones or the configuration's.
//!
//! A template is compiled and tried out with sample alerts before anything runs. If it fails for a real one all the same, the
//! built-in one takes its place: somebody must be told.

mod context;
mod format;
mod moment;
pub(crate) mod sample;
mod words;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};
use slawatch_wire::v1::AlertTransition;

use crate::config::ReceiverConfig;
use crate::delivery::IntentKey;
use crate::error::DispatcherError;
use crate::kind::ReceiverKind;
use crate::links::Links;
use crate::queue::Item;
pub(crate) use context::is_test;
pub(crate) use format::Format;
pub(crate) use words::evidence as evidence_words;

/// Marks a trial among an alert's labels.
pub(crate) const TEST_LABEL: &str = "slawatch_test";

const TITLE: &str = include_str!("message/title.j2");
const BODY: &str = include_str!("message/body.j2");
const EMAIL: &str = include_str!("message/email.html.j2");
const PLAIN_TITLE: &str = "{{ summary }}";
const PLAIN_BODY: &str = "{{ reason }}";

/// One state of one alert, about to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    pub(crate) alert: &'a AlertTransition,
    pub(crate) intent: &'a IntentKey,
    pub(crate) links: &'a Links,
    pub(crate) now_ms: i64,
}

impl<'a> Telling<'a> {
    pub(crate) fn of(item: &'a Item, links: &'a Links, now_ms: i64) -> Self {
        Self {
            alert: &item.delivery.transition,
            intent: &item.delivery.intent,
            links,
            now_ms,
        }
    }
}

/// The parts of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Title,
    Body,
    /// Of an e-mail, without HTML.
    Text,
}

impl Part {
    const ALL: [Self; 3] = [Self::Title, Self::Body, Self::Text];

    fn field(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Text => "email.text",
        }
    }

    /// The built-in one.
    fn default(self, kind: ReceiverKind) -> &'static str {
        match (self, kind) {
            // What is shown there has its own places for all the rest.
            (Self::Title, ReceiverKind::Alertmanager) => PLAIN_TITLE,
            (Self::Body, ReceiverKind::Alertmanager) => PLAIN_BODY,
            (Self::Title, _) => TITLE,
            (Self::Body, ReceiverKind::Email) => EMAIL,
            (Self::Body | Self::Text, _) => BODY,
        }
    }

    fn format(self, kind: ReceiverKind) -> Format {
        match (self, kind) {
            (Self::Body, ReceiverKind::Email) => Format::Html,
            (Self::Body, ReceiverKind::Slack) => Format::Slack,
            (Self::Body, ReceiverKind::Teams) => Format::Markdown,
            (Self::Title | Self::Body | Self::Text, _) => Format::Text,
        }
    }
}

/// The templates of one receiver.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
    receiver: String,
}

impl Templates {
    /// Compiles what is configured and tries it out.
    ///
    /// # Errors
    /// [`DispatcherError::Template`], with the line.
    pub(crate) fn new(config: &ReceiverConfig) -> Result<Self, DispatcherError> {
        let mut made = Self {
            environment: environment(),
            receiver: config.name.clone(),
        };
        for part in Part::ALL {
            let written = match part {
                Part::Title => config.title.clone(),
                Part::Body => config.body.clone(),
                Part::Text => config.email.as_ref().and_then(|email| email.text.clone()),
            };
            let format = part.format(config.kind);
            let built_in = part.default(config.kind).to_owned();
            made.add(built_in_name(part, format), built_in, part)?;
            let source = written.unwrap_or_else(|| part.default(config.kind).to_owned());
            made.add(name(part, format), source, part)?;
            made.try_out(&name(part, format), part)?;
        }
        Ok(made)
    }

    fn add(&mut self, name: String, source: String, part: Part) -> Result<(), DispatcherError> {
        let added = self.environment.add_template_owned(name, source);
        added.map_err(|error| self.mistake(part, &error))
    }

    fn try_out(&self, name: &str, part: Part) -> Result<(), DispatcherError> {
        for (alert, intent, links) in sample::all() {
            let telling = Telling {
                alert: &alert,
                intent: &intent,
                links: &links,
                now_ms: alert.at_ms,
            };
            self.render(name, &context::of(telling))
                .map_err(|error| self.mistake(part, &error))?;
        }
        Ok(())
    }

    fn mistake(&self, part: Part, error: &minijinja::Error) -> DispatcherError {
        DispatcherError::Template {
            name: self.receiver.clone(),
            field: part.field(),
            line: error.line().unwrap_or(1),
            reason: reason(error),
        }
    }

    fn render(&self, name: &str, context: &Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(name)?.render(context.clone())
    }

    fn told(&self, part: Part, telling: Telling<'_>) -> String {
        let mut names = self.environment.templates();
        let prefix = format!("{}.", part.field());
        // Each part was added under exactly one format.
        let name = names
            .find(|(name, _)| name.starts_with(&prefix))
            .map(|(name, _)| name.to_owned())
            .unwrap_or_default();
        let context = context::of(telling);
        self.render(&name, &context).unwrap_or_else(|error| {
            tracing::error!(receiver = %self.receiver, template = part.field(), reason = %reason(&error), line = error.line(), "a template failed for a real alert; the built-in one takes its place");
            let built_in = format!("built-in {name}");
            self.render(&built_in, &context)
                .unwrap_or_else(|_| telling.alert.summary.clone())
        })
    }

    /// One line, as plain text.
    pub(crate) fn title(&self, telling: Telling<'_>) -> String {
        let title = self.told(Part::Title, telling);
        title.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// In the format of the receiver's kind.
    pub(crate) fn body(&self, telling: Telling<'_>) -> String {
        self.told(Part::Body, telling).trim().to_owned()
    }

    /// Of an e-mail, the part without HTML.
    pub(crate) fn text(&self, telling: Telling<'_>) -> String {
        self.told(Part::Text, telling).trim().to_owned()
    }

    /// The title of a message about all of these.
    pub(crate) fn title_of_all(&self, tellings: &[Telling<'_>]) -> String {
        let first = tellings.first().map(|first| self.title(*first));
        match (first, tellings.len()) {
            (Some(first), 0 | 1) => first,
            (Some(first), many) => format!("{first} (and {} more)", many - 1),
            (None, _) => String::new(),
        }
    }
}

fn name(part: Part, format: Format) -> String {
    format!("{}.{}", part.field(), format.name())
}

fn built_in_name(part: Part, format: Format) -> String {
    format!("built-in {}", name(part, format))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // None of the delimiters is changed, so they cannot clash.
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    format::install(&mut environment);
    moment::install(&mut environment);
    words::install(&mut environment);
    environment
}

/// What is wrong, without the line, which is told apart.
fn reason(error: &minijinja::Error) -> String {
    let mut text = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    if let Some(cause) = std::error::Error::source(error) {
        text = format!("{text}: {cause}");
    }
    text
}

#[cfg(test)]
mod tests;
