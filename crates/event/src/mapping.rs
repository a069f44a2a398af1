//! How a source's own records become events: where each field stands, and what the source's words mean.
//!
//! A mapping is made here from what its file says; reading and checking that file is the program's business.

mod builtins;
mod program;
mod table;

#[cfg(test)]
mod tests;

use crate::Words;

pub use program::{Program, ProgramMistake};
pub(crate) use table::{Entry, Node};
pub use table::{FieldSource, Path, Table};

/// How a source's own records become events. The default takes records as SEMANTICS 1 has them.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    pub(crate) shape: Shape,
    pub(crate) words: Words,
}

/// Where the fields of an event come from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Shape {
    /// From the fields of the same names.
    #[default]
    Own,
    /// From other places of the record.
    Table(Table),
    /// From the output of a program.
    Program(Program),
}

impl Mapping {
    /// Fields keep their names; words are translated.
    pub fn words(words: Words) -> Self {
        Self {
            shape: Shape::Own,
            words,
        }
    }

    /// Fields stand elsewhere.
    pub fn table(table: Table, words: Words) -> Self {
        Self {
            shape: Shape::Table(table),
            words,
        }
    }

    /// A program makes the event.
    pub fn program(program: Program, words: Words) -> Self {
        Self {
            shape: Shape::Program(program),
            words,
        }
    }
}
