//! The bytes of a snapshot file.
//!
//! ```text
//! magic "SLWSNAP\0" | format version u32 | fingerprint u64 | offset i64 | clock i64 | log clock i64
//! | state length u64 | state | XXH3-64 of everything before, u64          (all little endian)
//! ```
//! A file that was cut short or in which a bit flipped is [`SnapshotDamage::Corrupt`]: its predecessor will do. One of
//! a format that this program does not know is not damaged, so falling back from it would be wrong. Every format begins
//! with the magic and its version and ends with the checksum, so the two can be told apart.

use xxhash_rust::xxh3::xxh3_64;

use crate::processor::SnapshotView;

const MAGIC: &[u8; 8] = b"SLWSNAP\0";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 8 + 4 + 8 + 8 + 8 + 8 + 8;
const LENGTH_AT: usize = HEADER_BYTES - 8;
const CHECKSUM_BYTES: usize = 8;

/// What a snapshot says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// See [`crate::Processor::fingerprint`].
    pub fingerprint: u64,
    /// The next offset to apply.
    pub offset: i64,
    /// The partition's clock.
    pub clock_ms: i64,
    /// The largest record timestamp applied.
    pub log_clock_ms: i64,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotDamage {
    /// Cut short, overwritten or decayed.
    #[error("it is damaged: {0}")]
    Corrupt(&'static str),
    /// Of a later program.
    #[error(
        "it has format {found}, this program reads up to {known}: run the version that wrote it, or a later one"
    )]
    Newer {
        /// The file's format version.
        found: u32,
        /// The newest that is known here.
        known: u32,
    },
}

/// Writes a file: `write_state` appends the state to the buffer that it is given.
pub fn encode(header: &SnapshotHeader, write_state: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER_BYTES + CHECKSUM_BYTES);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&header.fingerprint.to_le_bytes());
    for number in [header.offset, header.clock_ms, header.log_clock_ms] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&[0; 8]);
    write_state(&mut file);
    let state_bytes = (file.len() - HEADER_BYTES) as u64;
    file[LENGTH_AT..HEADER_BYTES].copy_from_slice(&state_bytes.to_le_bytes());
    let checksum = xxh3_64(&file);
    file.extend_from_slice(&checksum.to_le_bytes());
    file
}

/// Checks a file and gives its contents.
///
/// # Errors
/// See [`SnapshotDamage`].
pub fn decode(file: &[u8]) -> Result<SnapshotView<'_>, SnapshotDamage> {
    let mut rest = file;
    if take::<8>(&mut rest)? != *MAGIC {
        return Err(SnapshotDamage::Corrupt("it does not begin like a snapshot"));
    }
    // The checksum ends a file of any format: a version is believed only where it holds.
    let (content, mut tail) = file
        .split_at_checked(file.len().saturating_sub(CHECKSUM_BYTES))
        .ok_or(SnapshotDamage::Corrupt("it is cut short"))?;
    if u64::from_le_bytes(take(&mut tail)?) != xxh3_64(content) {
        return Err(SnapshotDamage::Corrupt("its checksum does not match"));
    }
    let found = u32::from_le_bytes(take(&mut rest)?);
    if found > VERSION {
        return Err(SnapshotDamage::Newer {
            found,
            known: VERSION,
        });
    }
    let fingerprint = u64::from_le_bytes(take(&mut rest)?);
    let offset = i64::from_le_bytes(take(&mut rest)?);
    let clock_ms = i64::from_le_bytes(take(&mut rest)?);
    let log_clock_ms = i64::from_le_bytes(take(&mut rest)?);
    let state_bytes = u64::from_le_bytes(take(&mut rest)?);
    let expected = rest
        .len()
        .checked_sub(CHECKSUM_BYTES)
        .map(|bytes| bytes as u64);
    if expected != Some(state_bytes) {
        return Err(SnapshotDamage::Corrupt(
            "its length is not what its header says",
        ));
    }
    let (state, _) = rest.split_at(rest.len() - CHECKSUM_BYTES);
    Ok(SnapshotView {
        fingerprint,
        offset,
        clock_ms,
        log_clock_ms,
        state,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SnapshotDamage> {
    let (head, tail) = rest
        .split_first_chunk()
        .ok_or(SnapshotDamage::Corrupt("it is cut short"))?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SnapshotHeader = SnapshotHeader {
        fingerprint: 0xfeed,
        offset: 42,
        clock_ms: 1_700_000_000_123,
        log_clock_ms: i64::MIN,
    };

    #[test]
    fn what_was_written_is_read() {
        let file = encode(&HEADER, |out| out.extend_from_slice(b"state"));
        let view = decode(&file).expect("a sound file");
        assert_eq!(view.state, b"state");
        let read = SnapshotHeader {
            fingerprint: view.fingerprint,
            offset: view.offset,
            clock_ms: view.clock_ms,
            log_clock_ms: view.log_clock_ms,
        };
        assert_eq!(read, HEADER);
    }

    #[test]
    fn every_single_flipped_bit_and_every_cut_is_noticed() {
        let file = encode(&HEADER, |out| out.extend_from_slice(b"a little state"));
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            assert!(
                matches!(decode(&file[..length]), Err(SnapshotDamage::Corrupt(_))),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_later_format_is_refused_and_not_taken_for_damage() {
        let mut file = encode(&HEADER, |_| ());
        file[8] = 9;
        let content = file.len() - CHECKSUM_BYTES;
        let checksum = xxh3_64(&file[..content]);
        file[content..].copy_from_slice(&checksum.to_le_bytes());
        let refused = decode(&file).expect_err("a later format");
        assert_eq!(
            refused.to_string(),
            "it has format 9, this program reads up to 1: run the version that wrote it, or a later one"
        );
    }
}
