//! The text of a policy file, and where in it something stands as people count.

use std::ops::Range;

/// A file's name and text.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
}

/// A place as people count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

impl<'a> Source<'a> {
    /// The text of a file of that name.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file,
            text,
            line_starts: std::iter::once(0).chain(after_newlines).collect(),
        }
    }

    /// Where a byte stands.
    pub fn position(&self, at: usize) -> Position {
        let at = self.boundary(at);
        // The first line starts at 0, so that there always is one.
        let line = self.line_starts.partition_point(|start| *start <= at);
        let column = self.text[self.line_starts[line - 1]..at].chars().count() + 1;
        Position { line, column }
    }

    /// Where `part` stands as it is between two places, if it does.
    pub fn find(&self, part: &str, within: &Range<usize>) -> Option<usize> {
        let text = self.text.get(within.clone())?;
        text.find(part).map(|at| within.start + at)
    }

    /// The text of a line counted from 1, without its end.
    pub(crate) fn line(&self, line: usize) -> &'a str {
        let starts = &self.line_starts;
        let Some(&start) = line.checked_sub(1).and_then(|at| starts.get(at)) else {
            return "";
        };
        let end = starts.get(line).copied().unwrap_or(self.text.len());
        let text = &self.text[start..end];
        let text = text.strip_suffix('\n').unwrap_or(text);
        text.strip_suffix('\r').unwrap_or(text)
    }

    /// The texts of all lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a str> {
        (1..=self.line_starts.len()).map(|line| self.line(line))
    }

    /// What stands there, up to the end of its first line.
    pub(crate) fn words(&self, span: &Range<usize>) -> &'a str {
        let (start, end) = (self.boundary(span.start), self.boundary(span.end));
        self.text
            .get(start..end)
            .and_then(|text| text.lines().next())
            .unwrap_or("")
    }

    /// What of a place is on its last line: a header that could not be read is taken together with the next one.
    pub(crate) fn last_line(&self, span: &Range<usize>) -> Range<usize> {
        let line = self.position(span.end.saturating_sub(1)).line;
        span.start.max(self.line_starts[line - 1])..span.end
    }

    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_1() {
        let source = Source::new("a.toml", "äb\r\ncd\n");
        let cases = [
            (0, 1, 1),
            (1, 1, 1),
            (2, 1, 2),
            (5, 2, 1),
            (6, 2, 2),
            (8, 3, 1),
            (99, 3, 1),
        ];
        for (at, line, column) in cases {
            assert_eq!(source.position(at), Position { line, column }, "{at}");
        }
        assert_eq!(source.line(1), "äb");
        assert_eq!(source.line(2), "cd");
        assert_eq!(source.line(9), "");
        assert_eq!(source.words(&(2..6)), "b");
        assert_eq!(source.words(&Range { start: 6, end: 2 }), "");
        assert_eq!(source.find("cd", &(2..8)), Some(5));
        assert_eq!(source.find("b", &(3..8)), None);
        assert_eq!(source.find("b", &(1..99)), None);
        assert_eq!(source.last_line(&(2..7)), 5..7);
        assert_eq!(source.last_line(&(2..3)), 2..3);
    }
}
