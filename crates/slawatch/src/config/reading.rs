//! From the text of a file and the environment to a [`Config`], naming every mistake on the way.

use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;

use super::deserialize::Reader;
use super::mistake::{Mistake, Place, setting};
use super::tree::{Node, Origin};
use super::{Config, Examined, check, environment};

/// Reads `text` as if it stood at `path`, `variables` laid over it.
pub(super) fn examine(path: &Path, text: &str, variables: Vec<(String, OsString)>) -> Examined {
    let mut mistakes = Vec::new();
    let mut root = Node::of_file(text).unwrap_or_else(|wrong| {
        mistakes.extend(wrong.into_iter().map(|(line, message)| Mistake {
            place: Place::Line(path.to_owned(), line),
            setting: String::new(),
            message,
        }));
        Node {
            origin: Origin::Line(1),
            value: super::tree::Value::Table(Vec::new()),
        }
    });
    let is_toml = mistakes.is_empty();
    let wrong = environment::lay_over(&mut root, variables);
    mistakes.extend(wrong.into_iter().map(|(name, message)| Mistake {
        place: Place::Variable(name),
        setting: String::new(),
        message,
    }));
    let mut config = read(path, &mut root, &mut mistakes);
    if is_toml {
        // A setting that could not be read has its default now, of which nothing is to be said.
        let unread: Vec<String> = mistakes.iter().map(|known| known.setting.clone()).collect();
        let is_news = |setting: &str| {
            !unread
                .iter()
                .any(|unread| setting.starts_with(unread.as_str()) && !unread.is_empty())
        };
        let found = check::check(&config).into_iter();
        let found = found.map(|(keys, message)| Mistake {
            place: Place::new(path, root.place(&keys)),
            setting: root.setting(&keys).trim_start_matches('.').to_owned(),
            message,
        });
        mistakes.extend(found.filter(|mistake| is_news(&mistake.setting)));
    }
    mistakes.sort_by_key(|mistake| match &mistake.place {
        Place::Line(_, line) => *line,
        Place::Variable(_) => usize::MAX,
    });
    config.place_files(path.parent().unwrap_or(Path::new("")));
    Examined { config, mistakes }
}

/// Every setting that can be read; one that cannot is told, taken out, and has its default.
fn read(path: &Path, root: &mut Node, mistakes: &mut Vec<Mistake>) -> Config {
    loop {
        let failure = match Config::deserialize(Reader(root)) {
            Ok(config) => return config,
            Err(failure) => failure,
        };
        let steps = failure.path();
        let origin = failure.origin.clone().unwrap_or(Origin::Line(1));
        let setting = setting(&steps);
        // It was there, was told, and was taken out.
        let taken_out = failure
            .missing
            .map(|key| format!("{setting}.{key}"))
            .is_some_and(|missing| mistakes.iter().any(|known| known.setting == missing));
        if !taken_out {
            mistakes.push(Mistake {
                place: Place::new(path, &origin),
                setting,
                message: failure.message,
            });
        }
        if !root.remove(&steps) {
            // The file as a whole; all of its settings have defaults.
            return Config::default();
        }
    }
}
