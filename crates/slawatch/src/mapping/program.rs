//! The program of a mapping file: in the file itself, or in one of its own.

use std::io;
use std::ops::Range;

use slawatch_event::{Program, ProgramMistake};
use slawatch_policy::reading::Source;
use slawatch_policy::{Diagnostic, Severity};

use super::Named;
use super::section::Section;

/// Reads what the file says of a program. Mistakes inside a program's own file are noted in `of_program`.
pub(super) fn read(
    file: &mut Section<'_>,
    of_program: &mut Vec<Diagnostic>,
    open: impl FnOnce(&str) -> (String, io::Result<String>),
) -> Named {
    let inline = file.text("jq", "'''{event_id: .id}'''");
    let named = file.text("jq_file", "\"mapping.jq\"");
    if let (Some(_), Some((_, span))) = (&inline, &named) {
        file.error(
            span,
            "the program is given twice, by jq and by jq_file",
            "keep one of the two",
        );
    }
    let mut read = Named::default();
    if let Some((code, span)) = inline {
        read.program = inside(file, code, &span);
        read.span = Some(span);
    }
    if let Some((name, span)) = named {
        let (path, text) = open(name);
        match text {
            Ok(code) => {
                let program = Program::compile(&code);
                read.program = program
                    .map_err(|mistakes| {
                        let source = Source::new(&path, &code);
                        of_program.extend(
                            mistakes
                                .iter()
                                .map(|mistake| diagnostic(&source, &mistake.span, mistake)),
                        );
                    })
                    .ok();
            }
            Err(error) => file.error(
                &span,
                format!("cannot read the program {path}: {error}"),
                "name a file, relative to this one",
            ),
        }
        read.span = Some(span);
    }
    read
}

/// A program that stands in the mapping file itself.
fn inside(file: &mut Section<'_>, code: &str, span: &Range<usize>) -> Option<Program> {
    let mistakes = match Program::compile(code) {
        Ok(program) => return Some(program),
        Err(mistakes) => mistakes,
    };
    // Where the text is written without escapes, a place in the program is one in the file.
    let start = file.source.find(code, span);
    for mut mistake in mistakes {
        let place = match start {
            Some(start) => start + mistake.span.start..start + mistake.span.end,
            None => span.clone(),
        };
        if is_file_name(code) {
            mistake.help = format!("write jq_file = {code:?} for a program in a file of its own");
        }
        file.error(&place, mistake.message, mistake.help);
    }
    None
}

fn is_file_name(code: &str) -> bool {
    code.ends_with(".jq") && !code.contains(char::is_whitespace)
}

fn diagnostic(source: &Source<'_>, span: &Range<usize>, mistake: &ProgramMistake) -> Diagnostic {
    Diagnostic::new(
        Severity::Error,
        source,
        span,
        mistake.message.clone(),
        mistake.help.clone(),
    )
}
