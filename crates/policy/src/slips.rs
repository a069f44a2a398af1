//! Of a file that is not TOML everywhere: what may only seem wrong because something could not be read. The rest is told, so
//! that one slip does not hide the other mistakes.

use std::ops::Range;

use crate::diagnostics::Diagnostic;
use crate::draft::FileDraft;
use crate::leaf::Located;
use crate::source::Source;

/// The lines of a file that are not TOML, and the parts of it that they are in. A part goes from one readable header to the
/// next: what a broken line held belongs there, and so seems what stands below a broken header.
#[derive(Debug)]
pub(crate) struct Slips<'a> {
    source: &'a Source<'a>,
    /// Sorted.
    lines: Vec<usize>,
    /// The lines of readable headers of calendars and policies, sorted.
    headers: Vec<usize>,
}

impl<'a> Slips<'a> {
    pub(crate) fn new(source: &'a Source<'a>, lines: Vec<usize>, file: &FileDraft) -> Self {
        let calendars = file.calendars.iter().map(|calendar| &calendar.header);
        let policies = file.policies.iter().map(|policy| &policy.header);
        let mut headers: Vec<usize> = calendars
            .chain(policies)
            .map(|header| source.position(header.start).line)
            .collect();
        headers.sort_unstable();
        Self {
            source,
            lines,
            headers,
        }
    }

    /// Whether something of the part may be lost that begins there.
    pub(crate) fn touch(&self, header: &Range<usize>) -> bool {
        let part = self.part(self.source.position(header.start).line);
        self.of(&part).next().is_some()
    }

    /// Whether a key of the file itself may be lost.
    pub(crate) fn may_hold_at_the_top(&self, key: &str) -> bool {
        let end = self.source.lines().position(is_header);
        let end = end.map_or(usize::MAX, |lines| lines + 1);
        self.lines
            .iter()
            .any(|&line| line < end || self.source.line(line).contains(key))
    }

    /// Whether a line that could not be read may give a table this name: `name` itself, or a reference to it.
    pub(crate) fn may_write(&self, key: &str, name: &str, read: &[&Located<String>]) -> bool {
        let is_read = |line: usize| {
            let at = |known: &&Located<String>| self.source.position(known.span.start).line == line;
            read.iter().any(at)
        };
        !self.lines.is_empty()
            && self.source.lines().enumerate().any(|(at, line)| {
                let value = line.trim_start().strip_prefix(key);
                value.is_some_and(|value| {
                    value.trim_start().starts_with('=') && value.contains(name)
                }) && !is_read(at + 1)
            })
    }

    /// Whether a table of this kind may have a header that could not be read.
    pub(crate) fn may_begin(&self, kind: &str) -> bool {
        let mut lines = self.source.lines();
        !self.lines.is_empty() && lines.any(|line| is_header(line) && line.contains(kind))
    }

    /// Whether a mistake may only follow from a slip: on a broken line, or below a broken header, where keys seem to be another
    /// table's.
    pub(crate) fn may_cause(&self, mistake: &Diagnostic) -> bool {
        let part = self.part(mistake.line);
        self.of(&part).any(|line| {
            line == mistake.line || (line < mistake.line && is_header(self.source.line(line)))
        })
    }

    /// The lines of the part that a line is in.
    fn part(&self, line: usize) -> Range<usize> {
        let after = self.headers.partition_point(|header| *header <= line);
        let start = after.checked_sub(1).map_or(1, |at| self.headers[at]);
        let end = self.headers.get(after).copied().unwrap_or(usize::MAX);
        start..end
    }

    fn of(&self, part: &Range<usize>) -> impl Iterator<Item = usize> {
        let first = self.lines.partition_point(|line| *line < part.start);
        let end = part.end;
        self.lines[first..]
            .iter()
            .copied()
            .take_while(move |line| *line < end)
    }
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}
