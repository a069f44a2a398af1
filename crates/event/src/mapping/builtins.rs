//! What a program may call: jq's builtins without those that read the outside or write to it.

use jaq_core::data::JustLut;
use jaq_core::load::parse::Def;
use jaq_core::native::Fun;
use jaq_json::Val;

/// What programs work on.
pub(super) type Data = JustLut<Val>;

/// Builtins that are not a function of their input, and why.
const OUTSIDE: [(&str, &str); 16] = [
    ("now", "reads the clock"),
    ("localtime", "reads the machine's time zone"),
    ("strflocaltime", "reads the machine's time zone"),
    ("env", "reads the environment"),
    ("input", "reads another record"),
    ("inputs", "reads other records"),
    ("input_filename", "reads the name of a file"),
    ("input_line_number", "reads the place in a file"),
    ("debug", "writes to the log"),
    ("debug_empty", "writes to the log"),
    ("stderr", "writes to the log"),
    ("stderr_empty", "writes to the log"),
    ("halt", "ends the process"),
    ("halt_error", "ends the process"),
    ("$ENV", "reads the environment"),
    ("$__prog_args", "reads the command line"),
];

/// Reading a date may name a time zone, which would come from the machine: so only formats without one reach the builtin.
const OWN: &str = r#"
def strptime($format):
    if $format | contains("Q") then error("strptime takes no time zone name (%Q)") else strptime_($format) end;
"#;

/// Why a program may not use a builtin of jq.
pub(super) fn outside(name: &str) -> Option<&'static str> {
    let (_, why) = OUTSIDE.iter().find(|(outside, _)| *outside == name)?;
    Some(why)
}

/// Builtins that are themselves written in jq.
pub(super) fn definitions() -> impl Iterator<Item = Def> {
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .filter(|definition| outside(definition.name).is_none())
        .chain(jaq_core::load::parse(OWN, |parser| parser.defs()).unwrap_or_default())
}

/// The others.
pub(super) fn functions() -> impl Iterator<Item = Fun<Data>> {
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(|(name, ..)| outside(name).is_none())
        .map(|(name, arguments, run)| {
            let name = if name == "strptime" {
                "strptime_"
            } else {
                name
            };
            (name, arguments, run)
        })
}
