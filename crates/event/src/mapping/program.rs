//! Mapping by a program in jq's language, compiled once. The same record gives the same event: a program reads nothing but
//! its record, and everything that would is no builtin here.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jaq_core::load::{self, Arena, File, Loader, import, span};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile};
use jaq_json::{Map, Val, read};

use super::builtins::{self, Data};
use crate::envelope::{Envelope, Whole};
use crate::json::{Fields, utf8};
use crate::{Reason, Rejection};

/// What a program may refer to beside its input.
const VARIABLES: [&str; 2] = ["$envelope", "$key"];
/// How deep a record may be nested that a program gets: reading deeper ones could end the process.
const MAX_DEPTH: usize = 128;
/// How much of a program's own message a dead letter keeps, in characters.
const MAX_MESSAGE: usize = 200;

/// A compiled program.
#[derive(Clone)]
pub struct Program {
    code: Arc<str>,
    filter: Arc<Filter<Data>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.code).finish()
    }
}

/// What is wrong with a program's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramMistake {
    /// Where, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Program {
    /// Compiles a program.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn compile(code: &str) -> Result<Self, Vec<ProgramMistake>> {
        let arena = Arena::default();
        let file = File { code, path: () };
        let modules = Loader::new(builtins::definitions())
            .load(&arena, file)
            .map_err(|errors| load_mistakes(code, errors))?;
        import(&modules, |_| Err(String::new())).map_err(|errors| load_mistakes(code, errors))?;
        let filter = Compiler::default()
            .with_funs(builtins::functions())
            .with_global_vars(VARIABLES)
            .compile(modules)
            .map_err(|errors| compile_mistakes(code, errors))?;
        Ok(Self {
            code: code.into(),
            filter: Arc::new(filter),
        })
    }

    /// The event that the program makes of a record's value, as JSON.
    ///
    /// # Errors
    /// `bad_json` if the value is no JSON object, `mapping_skipped` if the program gives nothing, `mapping_failed` if it gives
    /// anything but one object.
    pub(crate) fn run(
        &self,
        value: &[u8],
        envelope: &Envelope<'_>,
        key: Option<&[u8]>,
    ) -> Result<String, Rejection> {
        let text = utf8(value)?;
        Fields::read(text, None)?;
        let input = value_of(text)?;
        let variables = [envelope_value(envelope)?, key_value(key)];
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new(variables));
        let mut outputs = self.filter.id.run((context, input)).map(|output| {
            output.map_err(|exception| match exception.get_err() {
                Ok(error) => failed(format!("the program failed: {}", cut(&error.to_string()))),
                Err(_) => failed("the program broke off"),
            })
        });
        let Some(event) = outputs.next().transpose()? else {
            return Err(Rejection::new(
                Reason::MappingSkipped,
                "the program gives no event for this record",
            ));
        };
        if outputs.next().transpose()?.is_some() {
            return Err(failed(
                "the program gives several outputs; a record becomes one event",
            ));
        }
        let Val::Obj(_) = event else {
            return Err(failed(format!(
                "the program gives {}; expected one object with slawatch's fields",
                kind(&event)
            )));
        };
        let made = event.to_string();
        match Fields::read(&made, None) {
            Ok(_) => Ok(made),
            Err(rejection) => Err(failed(format!(
                "the program gives an object that JSON does not have: {}",
                rejection.detail
            ))),
        }
    }
}

fn failed(detail: impl Into<String>) -> Rejection {
    Rejection::new(Reason::MappingFailed, detail)
}

fn cut(message: &str) -> String {
    let short: String = message.chars().take(MAX_MESSAGE).collect();
    let more = if short.len() < message.len() {
        "…"
    } else {
        ""
    };
    format!("{short}{more}")
}

fn kind(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "a bool",
        Val::Num(_) => "a number",
        Val::BStr(_) => "bytes",
        Val::TStr(_) => "a string",
        Val::Arr(_) => "an array",
        Val::Obj(_) => "an object",
    }
}

/// A JSON text as the program's input.
fn value_of(text: &str) -> Result<Val, Rejection> {
    if depth(text) > MAX_DEPTH {
        return Err(failed(format!(
            "the record is nested more than {MAX_DEPTH} deep"
        )));
    }
    read::parse_single(text.as_bytes()).map_err(|error| {
        failed(format!(
            "the record cannot be given to the program: {error}"
        ))
    })
}

/// How deep the objects and arrays of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => drop(bytes.next()),
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The attributes of an envelope without its data; null without an envelope.
fn envelope_value(envelope: &Envelope<'_>) -> Result<Val, Rejection> {
    match envelope.whole {
        Whole::None => Ok(Val::Null),
        Whole::Structured(text) => {
            let value = value_of(text)?;
            if let Val::Obj(attributes) = value {
                let mut attributes = (*attributes).clone();
                for data in ["data", "data_base64"] {
                    attributes.shift_remove(&Val::from(data.to_owned()));
                }
                return Ok(Val::obj(attributes));
            }
            Ok(value)
        }
        Whole::Binary => {
            let attributes = [
                ("id", &envelope.id),
                ("type", &envelope.event_type),
                ("time", &envelope.time),
                ("subject", &envelope.subject),
            ];
            let texts = attributes.into_iter().filter_map(|(name, text)| {
                let text = text.as_ref()?.to_string();
                Some((Val::from(name.to_owned()), Val::from(text)))
            });
            Ok(Val::obj(texts.collect::<Map>()))
        }
    }
}

/// The record's key as text; null where there is none, or none that is text.
fn key_value(key: Option<&[u8]>) -> Val {
    let text = key.and_then(|key| std::str::from_utf8(key).ok());
    text.map_or(Val::Null, |text| Val::from(text.to_owned()))
}

fn load_mistakes(code: &str, errors: load::Errors<&str, ()>) -> Vec<ProgramMistake> {
    let of_file = errors.into_iter().flat_map(|(_, error)| match error {
        load::Error::Io(paths) => paths
            .into_iter()
            .map(|(path, _)| ProgramMistake {
                span: span(code, path),
                message: format!("\"{path}\" cannot be loaded: a mapping is one program"),
                help: "write the definitions into this program".to_owned(),
            })
            .collect::<Vec<_>>(),
        load::Error::Lex(errors) => errors
            .into_iter()
            .map(|(expected, found)| unexpected(code, expected.as_str(), first_char(found)))
            .collect(),
        load::Error::Parse(errors) => errors
            .into_iter()
            .map(|(expected, found)| unexpected(code, expected.as_str(), found))
            .collect(),
    });
    of_file.collect()
}

fn first_char(text: &str) -> &str {
    let end = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn unexpected(code: &str, expected: &str, found: &str) -> ProgramMistake {
    let found_words = if found.is_empty() {
        "the program ends".to_owned()
    } else {
        format!("{found:?} stands")
    };
    ProgramMistake {
        span: span(code, found),
        message: format!("this is not jq: {found_words} where {expected} is expected"),
        help: "write it as jq's manual has it".to_owned(),
    }
}

fn compile_mistakes(code: &str, errors: compile::Errors<&str, ()>) -> Vec<ProgramMistake> {
    let errors = errors.into_iter().flat_map(|(_, errors)| errors);
    errors
        .map(|(found, undefined)| {
            let (message, help) = match builtins::outside(found) {
                Some(why) => (
                    format!("{found} {why}: a mapping reads nothing but its record"),
                    "take what you need from the record, from $envelope or from $key".to_owned(),
                ),
                None => undefined_words(found, &undefined),
            };
            ProgramMistake {
                span: span(code, found),
                message,
                help,
            }
        })
        .collect()
}

fn undefined_words(found: &str, undefined: &compile::Undefined) -> (String, String) {
    if let compile::Undefined::Filter(arity) = undefined {
        return (
            format!("there is no filter {found}/{arity} (a name and its number of arguments)"),
            "write a builtin of jq, or define it with def".to_owned(),
        );
    }
    let help = match undefined {
        compile::Undefined::Var => format!(
            "bind it with \"as {found} |\"; bound from the start are {}",
            VARIABLES.join(" and ")
        ),
        _ => "define it first".to_owned(),
    };
    (format!("there is no {} {found}", undefined.as_str()), help)
}
