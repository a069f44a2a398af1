//! The texts of files that people write. One that cannot be read is told as a mistake in it would be, so that it hides none of
//! the others.

use std::io::ErrorKind;
use std::path::Path;

use slawatch_policy::reading::Source;
use slawatch_policy::{Diagnostic, Severity};

/// The text of a file.
///
/// # Errors
/// Why it cannot be read; if it is not UTF-8, from where on.
pub(super) fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    let file = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(&file, &error))),
        Err(error) => Err(Box::new(unreadable(&file, &error))),
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Diagnostic {
    let help = match error.kind() {
        ErrorKind::NotFound => {
            "write the path of a file that is there, from the folder in which slawatch is started"
        }
        ErrorKind::IsADirectory => "this is a folder; write the path of a file in it",
        ErrorKind::PermissionDenied => "let the user as whom slawatch runs read it",
        _ => "see that the file can be read",
    };
    Diagnostic::new(
        Severity::Error,
        &Source::new(file, ""),
        &(0..0),
        format!("cannot read {file}: {error}"),
        help,
    )
}

fn not_utf8(file: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    // What is right stays as it is, so that the place is the same.
    let text = String::from_utf8_lossy(error.as_bytes());
    Diagnostic::new(
        Severity::Error,
        &Source::new(file, &text),
        &(at..at + '\u{fffd}'.len_utf8()),
        format!("cannot read {file}: this is not UTF-8"),
        "save the file as UTF-8",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_told_like_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("good.toml"), "# ü\n").unwrap();
        std::fs::write(path("latin1.toml"), b"# one\nname = \"M\xfcnchen\"\n").unwrap();
        assert_eq!(read(&path("good.toml")).unwrap(), "# ü\n");
        let told = |name: &str| {
            let text = read(&path(name)).unwrap_err().to_string();
            text.replace(&format!("{}/", folder.path().display()), "")
        };
        assert_eq!(
            told("none.toml"),
            "error: cannot read none.toml: No such file or directory (os error 2)\n --> none.toml\n  = help: write the path of a file that is there, from the folder in which slawatch is started"
        );
        assert!(told("").contains("write the path of a file in it"));
        assert_eq!(
            told("latin1.toml"),
            "error: cannot read latin1.toml: this is not UTF-8\n --> latin1.toml:2:10\n  |\n2 | name = \"M\u{fffd}nchen\"\n  |          ^\n  = help: save the file as UTF-8"
        );
    }
}
