//! The folder of downloads: each is made once, in a folder of its own that appears whole or not at all, however many
//! processes want it at the same time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::{Error, Result};

/// Written last; without it the folder is a leftover.
const COMPLETE_MARK: &str = ".complete";

/// `SLAWATCH_CACHE_DIR`, else the user's cache folder.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("SLAWATCH_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("slawatch")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/slawatch")))
        .ok_or(Error::NoCacheFolder)
}

/// The folder `name` in `cache`, made by `make` in a scratch folder unless it is there already.
///
/// # Errors
/// Those of `make`, or that the cache folder cannot be written.
pub(crate) fn entry(
    cache: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let folder = cache.join(name);
    if folder.join(COMPLETE_MARK).exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(cache)
        .map_err(Error::file(cache, "the cache folder cannot be made"))?;
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path)
        .map_err(Error::file(&lock_path, "the lock file cannot be made"))?;
    lock.lock()
        .map_err(Error::file(&lock_path, "the lock cannot be taken"))?;
    if folder.join(COMPLETE_MARK).exists() {
        return Ok(folder);
    }
    let scratch = cache.join(format!("{name}.partial"));
    for leftover in [&scratch, &folder] {
        if leftover.exists() {
            std::fs::remove_dir_all(leftover).map_err(Error::file(
                leftover,
                "what an earlier attempt left cannot be removed",
            ))?;
        }
    }
    std::fs::create_dir_all(&scratch)
        .map_err(Error::file(&scratch, "the folder cannot be made"))?;
    make(&scratch)?;
    let mark = scratch.join(COMPLETE_MARK);
    File::create(&mark).map_err(Error::file(&mark, "the file cannot be made"))?;
    std::fs::rename(&scratch, &folder).map_err(Error::file(
        &folder,
        "the finished download cannot be moved here",
    ))?;
    Ok(folder)
}

/// Runs a program that fetches something, to its end.
pub(crate) fn run(
    command: &mut Command,
    program: &'static str,
    purpose: &'static str,
    install: &'static str,
) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::MissingProgram {
                program,
                purpose,
                install,
            }
        } else {
            Error::File {
                path: PathBuf::from(program),
                purpose: "the program cannot be started",
                source: error,
            }
        }
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Err(Error::ProgramFailed {
        program: program.to_owned(),
        purpose: purpose.to_owned(),
        status: output.status,
        output: last_lines(&String::from_utf8_lossy(&said), 20),
    })
}

/// The end of a log.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_and_whole() {
        let cache = tempfile::tempdir().expect("a folder");
        let write = |folder: &Path| {
            std::fs::write(folder.join("x"), "1").map_err(Error::file(folder, "write"))
        };
        let failing = |folder: &Path| {
            write(folder)?;
            Err(Error::NoCacheFolder)
        };
        assert!(entry(cache.path(), "thing", failing).is_err());
        assert!(
            !cache.path().join("thing").exists(),
            "a failed attempt must not look finished"
        );
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| entry(cache.path(), "thing", write).expect("made"));
            }
        });
        let folder = entry(cache.path(), "thing", |_| Err(Error::NoCacheFolder)).expect("is there");
        assert_eq!(
            std::fs::read_to_string(folder.join("x")).expect("whole"),
            "1"
        );
    }

    #[test]
    fn a_missing_program_is_named_with_how_to_get_it() {
        let error = run(
            &mut Command::new("slawatch-no-such"),
            "npm",
            "fetch x",
            "install it so",
        )
        .expect_err("missing");
        assert_eq!(
            error.to_string(),
            "`npm` is needed to fetch x and was not found in PATH: install it so"
        );
        let error = run(
            Command::new("sh").args(["-c", "echo because; exit 3"]),
            "sh",
            "work",
            "",
        )
        .expect_err("failed");
        assert_eq!(
            error.to_string(),
            "`sh` failed (exit status: 3) while it should work:\nbecause"
        );
    }
}
