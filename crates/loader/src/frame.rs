//! The frames in which ClickHouse takes compressed data: a checksum, a header, LZ4.
//!
//! Rows are compressed frame by frame while a batch grows, each byte once, so that a batch waiting for the server holds
//! little memory and every attempt sends the very same bytes.

use bytes::Bytes;

/// Rows are compressed once this much has gathered.
const FRAME_BYTES: usize = 256 * 1024;
const CHECKSUM_BYTES: usize = 16;
const HEADER_BYTES: usize = 9;
const LZ4: u8 = 0x82;

/// Gathers bytes and compresses them.
#[derive(Debug, Default)]
pub(crate) struct FrameWriter {
    pending: Vec<u8>,
    frames: Vec<Bytes>,
    raw_bytes: usize,
    compressed_bytes: usize,
}

impl FrameWriter {
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.raw_bytes += bytes.len();
        if self.pending.len() >= FRAME_BYTES {
            self.close_frame();
        }
    }

    /// Bytes appended so far, before compression.
    pub(crate) fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }

    /// What it holds in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        self.compressed_bytes + self.pending.len()
    }

    pub(crate) fn finish(mut self) -> Vec<Bytes> {
        if !self.pending.is_empty() {
            self.close_frame();
        }
        self.frames
    }

    fn close_frame(&mut self) {
        let frame = compress(&self.pending);
        self.compressed_bytes += frame.len();
        self.frames.push(frame);
        self.pending.clear();
    }
}

fn compress(raw: &[u8]) -> Bytes {
    let compressed = lz4_flex::block::compress(raw);
    let mut frame = vec![0; CHECKSUM_BYTES];
    frame.reserve(HEADER_BYTES + compressed.len());
    frame.push(LZ4);
    // A frame is closed soon after FRAME_BYTES, and one row is no larger than a record, far below 4 GiB.
    frame.extend_from_slice(&((HEADER_BYTES + compressed.len()) as u32).to_le_bytes());
    frame.extend_from_slice(&(raw.len() as u32).to_le_bytes());
    frame.extend_from_slice(&compressed);
    // ClickHouse writes the high half of the 128 bits first.
    let checksum = cityhash_rs::cityhash_102_128(&frame[CHECKSUM_BYTES..]).rotate_right(64);
    frame[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
    frame.into()
}

/// What a frame holds; `None` if it is damaged.
pub(crate) fn decompress(frame: &[u8]) -> Option<Vec<u8>> {
    let (checksum, body) = frame.split_at_checked(CHECKSUM_BYTES)?;
    let expected = cityhash_rs::cityhash_102_128(body).rotate_right(64);
    let (header, compressed) = body.split_at_checked(HEADER_BYTES)?;
    let raw_bytes = u32::from_le_bytes(header[5..9].try_into().ok()?);
    (checksum == expected.to_le_bytes() && header[0] == LZ4).then_some(())?;
    lz4_flex::block::decompress(compressed, raw_bytes as usize).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_hold_what_was_appended_and_damage_shows() {
        let mut writer = FrameWriter::default();
        let row = b"a row of some length ".repeat(50);
        for _ in 0..1000 {
            writer.append(&row);
        }
        assert_eq!(writer.raw_bytes(), 1000 * row.len());
        assert!(writer.held_bytes() < 2 * FRAME_BYTES);
        let frames = writer.finish();
        assert!(frames.len() > 1, "{}", frames.len());
        let raw: Vec<u8> = frames
            .iter()
            .flat_map(|frame| decompress(frame).unwrap())
            .collect();
        assert_eq!(raw, row.repeat(1000));
        let mut damaged = frames[0].to_vec();
        damaged[40] ^= 1;
        assert_eq!(decompress(&damaged), None);
        assert_eq!(decompress(&damaged[..20]), None);
    }
}
