//! What the commands over files of events have in common: reading lines, and the arguments that say when.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use slawatch_event::parse_instant;
use slawatch_policy::parse_duration_ms;

/// An argument that is an instant, as `occurred_at` is written.
pub(super) fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text)
        .or_else(|| text.parse().ok().filter(|at| slawatch_event::in_years(*at)))
        .ok_or_else(|| {
            "expected an RFC 3339 instant with offset, such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
                .to_owned()
        })
}

/// An argument that is a delay, as targets are written.
pub(super) fn delay(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    parse_duration_ms(text).map_err(|error| error.to_string())
}

/// Every line of some files, without line ends; a bar on standard error shows how far it is.
pub(super) fn read_lines(files: &[PathBuf], mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let progress = progress(files)?;
    for path in files {
        read_file(path, 0, &progress, |line, _| {
            take(line);
            Ok(())
        })?;
    }
    progress.finish_and_clear();
    Ok(())
}

/// A bar over the bytes of these files.
pub(super) fn progress(files: &[PathBuf]) -> anyhow::Result<ProgressBar> {
    let mut bytes = 0;
    for path in files {
        let metadata =
            std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            bail!(
                "{} is a folder; files of JSON lines are expected",
                path.display()
            );
        }
        bytes += metadata.len();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?;
    Ok(ProgressBar::new(bytes).with_style(style))
}

/// The lines of a file from byte `from` on, each with the byte behind its end.
pub(super) fn read_file(
    path: &Path,
    from: u64,
    progress: &ProgressBar,
    mut take: impl FnMut(&[u8], u64) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let context = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(context)?;
    file.seek(SeekFrom::Start(from)).with_context(context)?;
    progress.inc(from);
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = Vec::new();
    let mut end = from;
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).with_context(context)? as u64;
        if bytes == 0 {
            return Ok(());
        }
        end += bytes;
        progress.inc(bytes);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        take(text.strip_suffix(b"\r").unwrap_or(text), end)?;
    }
}
