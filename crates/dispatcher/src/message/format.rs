//! How text is written for each kind of reader: what stands for itself there, what a link and bold type look like.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, Output, State, Value, escape_formatter};

/// A way of writing text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// As it is.
    Text,
    /// HTML.
    Html,
    /// Slack's `mrkdwn`, where only `&`, `<` and `>` are escaped.
    Slack,
    /// The Markdown of Adaptive Cards.
    Markdown,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
            Self::Slack => "slack",
            Self::Markdown => "markdown",
        }
    }

    fn of_template(name: &str) -> Self {
        match name.rsplit('.').next() {
            Some("html") => Self::Html,
            Some("slack") => Self::Slack,
            Some("markdown") => Self::Markdown,
            _ => Self::Text,
        }
    }

    fn auto_escape(self) -> AutoEscape {
        match self {
            Self::Text => AutoEscape::None,
            Self::Html => AutoEscape::Html,
            Self::Slack | Self::Markdown => AutoEscape::Custom(self.name().into()),
        }
    }

    fn of(state: &State<'_, '_>) -> Self {
        match state.auto_escape() {
            AutoEscape::Html => Self::Html,
            AutoEscape::Custom(name) => Self::of_template(name),
            _ => Self::Text,
        }
    }

    /// The text as it must be written to stand for itself.
    pub(crate) fn escape(self, text: &str) -> String {
        match self {
            Self::Text => text.to_owned(),
            Self::Html => text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;"),
            Self::Slack => text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
            Self::Markdown => {
                let mut escaped = String::with_capacity(text.len());
                for letter in text.chars() {
                    if "\\*_[]()~`#".contains(letter) {
                        escaped.push('\\');
                    }
                    escaped.push(letter);
                }
                escaped
            }
        }
    }

    /// A link; the text alone if there is no address.
    pub(crate) fn link(self, text: &str, url: &str) -> String {
        let shown = self.escape(text);
        if url.is_empty() {
            return shown;
        }
        match self {
            Self::Text => format!("{text} ({url})"),
            Self::Html => format!("<a href=\"{}\">{shown}</a>", self.escape(url)),
            // A bar or a bracket would end the link.
            Self::Slack => format!(
                "<{}|{}>",
                self.escape(&url.replace('|', "%7C")),
                shown.replace('|', "¦")
            ),
            Self::Markdown => {
                let url = url.replace('(', "%28").replace(')', "%29");
                format!("[{shown}]({url})")
            }
        }
    }

    /// Bold type.
    pub(crate) fn strong(self, text: &str) -> String {
        let shown = self.escape(text);
        match self {
            Self::Text => format!("{shown}:"),
            Self::Html => format!("<strong>{shown}</strong>"),
            Self::Slack => format!("*{shown}*"),
            Self::Markdown => format!("**{shown}**"),
        }
    }
}

/// Between several things in a row: long addresses in plain text stand in lines of their own.
fn separator(format: Format) -> &'static str {
    match format {
        Format::Text => "\n",
        Format::Html | Format::Slack | Format::Markdown => " · ",
    }
}

/// Escaping by the kind of template, and the functions `link`, `strong` and `separator`.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.set_auto_escape_callback(|name| Format::of_template(name).auto_escape());
    environment.set_formatter(formatter);
    environment.add_function(
        "link",
        |state: &State<'_, '_>, text: String, url: String| {
            Value::from_safe_string(Format::of(state).link(&text, &url))
        },
    );
    environment.add_function("separator", |state: &State<'_, '_>| {
        separator(Format::of(state))
    });
    environment.add_function("strong", |state: &State<'_, '_>, text: String| {
        Value::from_safe_string(Format::of(state).strong(&text))
    });
}

fn formatter(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let format = Format::of(state);
    match format {
        Format::Text | Format::Html => escape_formatter(out, state, value),
        Format::Slack | Format::Markdown => {
            let text = value.to_string();
            let is_fit = value.is_safe() || value.kind() == ValueKind::Number;
            let text = if is_fit { text } else { format.escape(&text) };
            out.write_str(&text).map_err(Error::from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_itself_and_what_links() {
        for (format, escaped, link, bold) in [
            (
                Format::Text,
                "a&<b> *c*_",
                "a|b (https://x/?a=1&b=(2))",
                "x<:",
            ),
            (
                Format::Html,
                "a&amp;&lt;b&gt; *c*_",
                "<a href=\"https://x/?a=1&amp;b=(2)\">a|b</a>",
                "<strong>x&lt;</strong>",
            ),
            (
                Format::Slack,
                "a&amp;&lt;b&gt; *c*_",
                "<https://x/?a=1&amp;b=(2)|a¦b>",
                "*x&lt;*",
            ),
            (
                Format::Markdown,
                "a&<b> \\*c\\*\\_",
                "[a|b](https://x/?a=1&b=%282%29)",
                "**x<**",
            ),
        ] {
            assert_eq!(format.escape("a&<b> *c*_"), escaped, "{format:?}");
            assert_eq!(
                format.link("a|b", "https://x/?a=1&b=(2)"),
                link,
                "{format:?}"
            );
            assert_eq!(format.link("<", ""), format.escape("<"), "{format:?}");
            assert_eq!(format.strong("x<"), bold, "{format:?}");
        }
    }
}
