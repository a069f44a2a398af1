//! A ledger as bytes: what a snapshot holds. Equal ledgers give equal bytes.

use std::sync::Arc;

use prost::Message;
use slawatch_wire::v1::{Action, AlertState, AlertTransition, Suppression};

use super::course::{Course, Mark};
use super::line::{Line, Phase, Told};
use super::silences::Silence;
use super::{Directory, Ledger, Seen};
use crate::delivery::{IntentKey, LedgerId, Subject};
use crate::error::DispatcherError;

#[derive(Clone, PartialEq, Message)]
struct LedgerImage {
    #[prost(btree_map = "uint32, uint64", tag = "1")]
    evaluator_epochs: std::collections::BTreeMap<u32, u64>,
    #[prost(uint64, tag = "2")]
    dispatcher_epoch: u64,
    #[prost(sint64, tag = "3")]
    clock_ms: i64,
    #[prost(message, repeated, tag = "4")]
    seen: Vec<SeenImage>,
    #[prost(message, repeated, tag = "5")]
    lines: Vec<LineImage>,
    #[prost(message, repeated, tag = "6")]
    silences: Vec<SilenceImage>,
    #[prost(message, repeated, tag = "7")]
    pages: Vec<PageImage>,
}

#[derive(Clone, PartialEq, Message)]
struct SeenImage {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(uint64, tag = "2")]
    revision: u64,
    #[prost(sint64, tag = "3")]
    fired_at_ms: i64,
    #[prost(sint64, tag = "4")]
    at_ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct LineImage {
    #[prost(string, tag = "1")]
    receiver: String,
    #[prost(string, tag = "2")]
    key: String,
    #[prost(string, tag = "3")]
    incident: String,
    #[prost(message, optional, tag = "4")]
    newest: Option<AlertTransition>,
    #[prost(enumeration = "ToldImage", tag = "5")]
    told: i32,
    #[prost(string, tag = "6")]
    told_incident: String,
    #[prost(enumeration = "AlertState", tag = "7")]
    told_state: i32,
    #[prost(uint64, tag = "8")]
    told_revision: u64,
    #[prost(message, repeated, tag = "9")]
    missed: Vec<AlertTransition>,
    #[prost(uint32, tag = "10")]
    told_repeat: u32,
    #[prost(uint32, tag = "11")]
    told_step: u32,
    #[prost(string, tag = "12")]
    reference: String,
    #[prost(enumeration = "Suppression", tag = "16")]
    withheld_why: i32,
    #[prost(string, tag = "13")]
    withheld_cause: String,
    #[prost(sint64, tag = "14")]
    withheld_at_ms: i64,
    #[prost(message, optional, tag = "15")]
    course: Option<CourseImage>,
}

#[derive(Clone, PartialEq, Message)]
struct CourseImage {
    #[prost(string, tag = "1")]
    incident: String,
    #[prost(uint64, tag = "2")]
    acknowledged: u64,
    #[prost(message, optional, tag = "3")]
    began: Option<MarkImage>,
    #[prost(message, optional, tag = "4")]
    first: Option<MarkImage>,
    #[prost(sint64, optional, tag = "5")]
    last_ms: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct MarkImage {
    #[prost(uint64, tag = "1")]
    revision: u64,
    #[prost(sint64, tag = "2")]
    at_ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct SilenceImage {
    #[prost(message, optional, tag = "1")]
    asked: Option<Action>,
    #[prost(sint64, tag = "2")]
    until_ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct PageImage {
    #[prost(string, tag = "1")]
    receiver: String,
    #[prost(string, tag = "2")]
    key: String,
    #[prost(string, tag = "3")]
    incident: String,
    #[prost(sint64, tag = "4")]
    at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
enum ToldImage {
    Nothing = 0,
    Suppressed = 1,
    Intent = 2,
    Sent = 3,
    Rejected = 4,
    Withheld = 5,
}

impl Ledger {
    /// Appends the state. What is undecided is decided anew by [`Ledger::resume`].
    pub fn write_image(&self, out: &mut Vec<u8>) {
        let image = LedgerImage {
            evaluator_epochs: self.evaluator_epochs.clone(),
            dispatcher_epoch: self.dispatcher_epoch,
            clock_ms: self.clock_ms,
            seen: self
                .seen
                .iter()
                .map(|(key, seen)| seen_image(key, seen))
                .collect(),
            lines: self
                .lines
                .iter()
                .map(|((number, subject), line)| {
                    line_image(&self.directory.receivers[*number].name, subject, line)
                })
                .collect(),
            silences: self.silences.0.values().map(silence_image).collect(),
            pages: self.page_images(),
        };
        out.extend_from_slice(&image.encode_to_vec());
    }

    fn page_images(&self) -> Vec<PageImage> {
        let pages = self.pages.iter().flat_map(|(number, pages)| {
            let name = &self.directory.receivers[*number].name;
            pages
                .0
                .iter()
                .map(move |((key, incident), at_ms)| PageImage {
                    receiver: name.clone(),
                    key: key.clone(),
                    incident: incident.clone(),
                    at_ms: *at_ms,
                })
        });
        pages.collect()
    }

    /// The ledger that [`Ledger::write_image`] wrote. Lines of receivers that are no longer configured are left out.
    ///
    /// # Errors
    /// If the bytes are none of an image.
    pub fn from_image(
        id: LedgerId,
        partition: u32,
        directory: Arc<Directory>,
        bytes: &[u8],
    ) -> Result<Self, DispatcherError> {
        let image = LedgerImage::decode(bytes).map_err(|error| DispatcherError::Snapshot {
            reason: error.to_string(),
        })?;
        let mut ledger = Self::new(id, partition, directory);
        ledger.evaluator_epochs = image.evaluator_epochs;
        ledger.dispatcher_epoch = image.dispatcher_epoch;
        ledger.clock_ms = image.clock_ms;
        for seen in image.seen {
            let SeenImage {
                key,
                revision,
                fired_at_ms,
                at_ms,
            } = seen;
            ledger.seen.insert(
                key,
                Seen {
                    revision,
                    fired_at_ms,
                    at_ms,
                },
            );
        }
        for line in image.lines {
            if let Some(number) = ledger.directory.position(&line.receiver) {
                let told = told_from(&line);
                let subject = Subject {
                    key: line.key,
                    incident: line.incident,
                };
                let newest = line.newest.map(Arc::new);
                let missed = line.missed.into_iter().map(Arc::new).collect();
                // A snapshot of a version that knew no course holds what one follows from.
                let mut course = line.course.map(course_from).unwrap_or_default();
                if let Some(newest) = newest.as_deref().filter(|_| course.began.is_none()) {
                    course.renew(newest);
                }
                let line = Line {
                    newest,
                    missed,
                    told,
                    reference: line.reference,
                    course,
                    ..Line::default()
                };
                ledger.lines.insert((number, subject), line);
            }
        }
        for silence in image.silences {
            if let Some(asked) = silence.asked {
                let until_ms = silence.until_ms;
                let id = asked.action_id.clone();
                ledger.silences.0.insert(id, Silence { asked, until_ms });
            }
        }
        for page in image.pages {
            if let Some(number) = ledger.directory.position(&page.receiver) {
                let pages = ledger.pages.entry(number).or_default();
                pages.note(&page.key, &page.incident, page.at_ms);
            }
        }
        Ok(ledger)
    }
}

fn silence_image(silence: &Silence) -> SilenceImage {
    SilenceImage {
        asked: Some(silence.asked.clone()),
        until_ms: silence.until_ms,
    }
}

fn course_image(course: &Course) -> CourseImage {
    let mark = |mark: Mark| MarkImage {
        revision: mark.revision,
        at_ms: mark.at_ms,
    };
    CourseImage {
        incident: course.incident.clone(),
        acknowledged: course.acknowledged,
        began: course.began.map(mark),
        first: course.first.map(mark),
        last_ms: course.last_ms,
    }
}

fn course_from(image: CourseImage) -> Course {
    let mark = |mark: MarkImage| Mark {
        revision: mark.revision,
        at_ms: mark.at_ms,
    };
    Course {
        incident: image.incident,
        acknowledged: image.acknowledged,
        began: image.began.map(mark),
        first: image.first.map(mark),
        last_ms: image.last_ms,
    }
}

fn seen_image(key: &str, seen: &Seen) -> SeenImage {
    SeenImage {
        key: key.to_owned(),
        revision: seen.revision,
        fired_at_ms: seen.fired_at_ms,
        at_ms: seen.at_ms,
    }
}

fn line_image(receiver: &str, subject: &Subject, line: &Line) -> LineImage {
    let (told, intent) = match &line.told {
        Told::Nothing => (ToldImage::Nothing, None),
        Told::Suppressed(intent) => (ToldImage::Suppressed, Some(intent)),
        Told::Withheld { intent, .. } => (ToldImage::Withheld, Some(intent)),
        Told::Intent { intent, .. } => (ToldImage::Intent, Some(intent)),
        Told::Sent(intent) => (ToldImage::Sent, Some(intent)),
        Told::Rejected(intent) => (ToldImage::Rejected, Some(intent)),
    };
    let withheld = match &line.told {
        Told::Withheld {
            why, cause, at_ms, ..
        } => (*why, cause.clone(), *at_ms),
        Told::Nothing
        | Told::Suppressed(_)
        | Told::Intent { .. }
        | Told::Sent(_)
        | Told::Rejected(_) => Default::default(),
    };
    LineImage {
        withheld_why: withheld.0.into(),
        withheld_cause: withheld.1,
        withheld_at_ms: withheld.2,
        course: Some(course_image(&line.course)),
        receiver: receiver.to_owned(),
        key: subject.key.clone(),
        incident: subject.incident.clone(),
        newest: line.newest.as_deref().cloned(),
        told: told.into(),
        told_incident: intent
            .map(|intent| intent.incident.clone())
            .unwrap_or_default(),
        told_state: intent
            .map_or(AlertState::Unspecified, |intent| intent.state)
            .into(),
        told_revision: intent.map_or(0, |intent| intent.revision),
        told_repeat: intent.map_or(0, |intent| intent.repeat),
        told_step: intent.map_or(0, |intent| intent.step),
        missed: line
            .missed
            .iter()
            .map(|missed| AlertTransition::clone(missed))
            .collect(),
        reference: line.reference.clone(),
    }
}

fn told_from(line: &LineImage) -> Told {
    let intent = IntentKey {
        incident: line.told_incident.clone(),
        state: line.told_state(),
        revision: line.told_revision,
        repeat: line.told_repeat,
        step: line.told_step,
    };
    match line.told() {
        ToldImage::Nothing => Told::Nothing,
        ToldImage::Suppressed => Told::Suppressed(intent),
        ToldImage::Withheld => Told::Withheld {
            intent,
            why: line.withheld_why(),
            cause: line.withheld_cause.clone(),
            at_ms: line.withheld_at_ms,
        },
        ToldImage::Intent => Told::Intent {
            intent,
            transition: None,
            phase: Phase::Inherited,
        },
        ToldImage::Sent => Told::Sent(intent),
        ToldImage::Rejected => Told::Rejected(intent),
    }
}
