//! What kind of statement a text is, seen from outside the engine: whether data follow it and where they start, which
//! format it names, and whether its result can be fetched in pieces. It parses no more SQL than that.

/// The outside of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An INSERT whose data come in a format.
    Insert {
        /// The statement's length without its FORMAT or VALUES.
        head_len: usize,
        format: String,
        /// Where inline data start.
        data_at: usize,
    },
    /// Everything else.
    Other {
        /// The format that the statement itself names.
        format: Option<String>,
        /// A SELECT, so that the engine can stream it.
        select: bool,
    },
}

/// Looks at one statement; the text may be cut off inside an INSERT's inline data.
pub(crate) fn shape(sql: &str) -> Shape {
    let mut tokens = Tokens::new(sql);
    let first = tokens.next();
    match first {
        Some(token) if token.is_word(sql, "insert") => insert_shape(sql, tokens),
        Some(token) => {
            let select = token.is_word(sql, "select")
                || token.is_word(sql, "with")
                || token.kind == Kind::Open;
            Shape::Other {
                format: format_clause(sql),
                select,
            }
        }
        None => Shape::Other {
            format: None,
            select: false,
        },
    }
}

fn insert_shape(sql: &str, mut tokens: Tokens<'_>) -> Shape {
    let mut previous: Option<Token> = None;
    while let Some(token) = tokens.next() {
        let names_table = previous.is_some_and(|previous| {
            previous.is_word(sql, "into")
                || previous.is_word(sql, "table")
                || previous.kind == Kind::Dot
        });
        previous = Some(token);
        if token.depth > 0 || token.kind != Kind::Word || names_table {
            continue;
        }
        if token.is_word(sql, "values") {
            return Shape::Insert {
                head_len: token.start,
                format: "Values".to_owned(),
                data_at: token.end,
            };
        }
        if token.is_word(sql, "format") {
            let Some(name) = tokens.next() else { break };
            return Shape::Insert {
                head_len: token.start,
                format: sql[name.start..name.end].to_owned(),
                data_at: data_start(sql, name.end),
            };
        }
        if ["select", "with", "from", "watch"]
            .iter()
            .any(|word| token.is_word(sql, word))
        {
            return Shape::Other {
                format: None,
                select: false,
            };
        }
    }
    Shape::Insert {
        head_len: sql.trim_end().trim_end_matches(';').len(),
        format: "Values".to_owned(),
        data_at: sql.len(),
    }
}

/// Data start behind the blanks and the one line end that follow the format's name.
fn data_start(sql: &str, from: usize) -> usize {
    let bytes = sql.as_bytes();
    let mut at = from;
    while bytes
        .get(at)
        .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\x0c' | b';'))
    {
        at += 1;
    }
    if bytes.get(at) == Some(&b'\r') {
        at += 1;
    }
    if bytes.get(at) == Some(&b'\n') {
        at += 1;
    }
    at
}

/// The name in a trailing `FORMAT name`.
fn format_clause(sql: &str) -> Option<String> {
    let tokens: Vec<Token> = Tokens::new(sql).collect();
    tokens.iter().enumerate().rev().find_map(|(index, token)| {
        let name = tokens.get(index + 1)?;
        let ends = tokens.get(index + 2).is_none_or(|after| {
            after.kind == Kind::Semicolon
                || after.is_word(sql, "settings")
                || after.is_word(sql, "into")
        });
        (token.depth == 0 && token.is_word(sql, "format") && name.kind == Kind::Word && ends)
            .then(|| sql[name.start..name.end].to_owned())
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Open,
    Dot,
    Semicolon,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
    depth: usize,
}

impl Token {
    fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && sql[self.start..self.end].eq_ignore_ascii_case(word)
    }
}

/// The tokens of a text; strings, quoted names and comments never show as words.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Tokens<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            bytes: sql.as_bytes(),
            at: 0,
            depth: 0,
        }
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = &self.bytes[self.at..];
            let skipped = match rest {
                [byte, ..] if byte.is_ascii_whitespace() => 1,
                [b'-', b'-', ..] | [b'#', b' ' | b'!', ..] => rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len()),
                [b'/', b'*', ..] => rest
                    .windows(2)
                    .skip(2)
                    .position(|pair| pair == b"*/")
                    .map_or(rest.len(), |position| position + 4),
                _ => return,
            };
            self.at += skipped;
        }
    }

    fn quoted_len(rest: &[u8], quote: u8) -> usize {
        let mut at = 1;
        while at < rest.len() {
            match rest[at] {
                b'\\' => at += 2,
                byte if byte == quote && rest.get(at + 1) == Some(&quote) => at += 2,
                byte if byte == quote => return at + 1,
                _ => at += 1,
            }
        }
        rest.len()
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blank();
        let rest = &self.bytes[self.at..];
        let first = *rest.first()?;
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
        let (kind, length) = match first {
            b'\'' | b'"' | b'`' => (Kind::Other, Self::quoted_len(rest, first)),
            b'(' => (Kind::Open, 1),
            b'.' => (Kind::Dot, 1),
            b';' => (Kind::Semicolon, 1),
            byte if is_word(&byte) => (
                Kind::Word,
                rest.iter()
                    .position(|byte| !is_word(byte))
                    .unwrap_or(rest.len()),
            ),
            _ => (Kind::Other, 1),
        };
        if first == b')' {
            self.depth = self.depth.saturating_sub(1);
        }
        let token = Token {
            kind,
            start: self.at,
            end: self.at + length,
            depth: self.depth,
        };
        if first == b'(' {
            self.depth += 1;
        }
        self.at += length;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_are_split_before_their_data() {
        let cases = [
            (
                "INSERT INTO t(`a`,`b`) FORMAT RowBinary",
                "INSERT INTO t(`a`,`b`) ",
                "RowBinary",
                "",
            ),
            (
                "insert into t format JSONEachRow\n{\"a\":1}",
                "insert into t ",
                "JSONEachRow",
                "{\"a\":1}",
            ),
            (
                "INSERT INTO t FORMAT TSV \n\n1\n",
                "INSERT INTO t ",
                "TSV",
                "\n1\n",
            ),
            (
                "INSERT INTO values VALUES (1), ('FORMAT x')",
                "INSERT INTO values ",
                "Values",
                " (1), ('FORMAT x')",
            ),
            (
                "INSERT INTO d.format (format) SETTINGS async_insert=1 VALUES (1)",
                "INSERT INTO d.format (format) SETTINGS async_insert=1 ",
                "Values",
                " (1)",
            ),
            (
                "/* c */ INSERT INTO `select` -- with\n FORMAT CSV",
                "/* c */ INSERT INTO `select` -- with\n ",
                "CSV",
                "",
            ),
            ("INSERT INTO t (a)", "INSERT INTO t (a)", "Values", ""),
        ];
        for (sql, head, name, data) in cases {
            let Shape::Insert {
                head_len,
                format,
                data_at,
            } = shape(sql)
            else {
                panic!("{sql}")
            };
            assert_eq!(
                (&sql[..head_len], format.as_str(), &sql[data_at..]),
                (head, name, data),
                "{sql}"
            );
        }
    }

    #[test]
    fn other_statements_show_format_and_whether_they_stream() {
        let cases = [
            ("SELECT 1", None, true),
            ("(select 1)", None, true),
            ("WITH 1 AS x SELECT x FORMAT JSON", Some("JSON"), true),
            ("select format('{}', a) from t", None, true),
            (
                "select 1 format CSV settings max_threads=1",
                Some("CSV"),
                true,
            ),
            ("select ' format CSV'", None, true),
            ("select 1 -- format CSV", None, true),
            ("INSERT INTO t SELECT 1 FORMAT x", None, false),
            ("INSERT INTO t (a) WITH 1 AS x SELECT x", None, false),
            ("SHOW TABLES FORMAT JSON;", Some("JSON"), false),
            ("", None, false),
        ];
        for (sql, format, select) in cases {
            let expected = Shape::Other {
                format: format.map(str::to_owned),
                select,
            };
            assert_eq!(shape(sql), expected, "{sql}");
        }
    }
}
