//! ClickHouse's compressed blocks, as clients send them with `decompress=1`: a stream of bytes in, the raw data of whole
//! blocks out, every checksum verified.

use super::failure::Failure;

/// Checksum (16), method (1), compressed size with this header but without the checksum (4), raw size (4).
const HEADER_LEN: usize = 25;
const CHECKSUM_LEN: usize = 16;
const METHOD_NONE: u8 = 0x02;
const METHOD_LZ4: u8 = 0x82;
/// The server's own limit for a compressed block.
const MAX_BLOCK_LEN: usize = 1 << 30;

/// Collects bytes until a block is whole.
#[derive(Debug, Default)]
pub(crate) struct BlockDecoder {
    pending: Vec<u8>,
}

impl BlockDecoder {
    /// Takes more bytes and gives the raw data of the blocks that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        self.pending.extend_from_slice(bytes);
        let mut raw = Vec::new();
        let mut at = 0;
        while let Some(used) = decode_one(&self.pending[at..], &mut raw)? {
            at += used;
        }
        self.pending.drain(..at);
        Ok(raw)
    }

    /// Says whether the stream ended between two blocks.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            33,
            "CANNOT_READ_ALL_DATA",
            format_args!(
                "The body ends inside a compressed block, {} bytes after its start",
                self.pending.len()
            ),
        ))
    }
}

/// Decodes the block at the start of `bytes`; `None` if it is not whole yet.
fn decode_one(bytes: &[u8], raw: &mut Vec<u8>) -> Result<Option<usize>, Failure> {
    let Some(header) = bytes.get(..HEADER_LEN) else {
        return Ok(None);
    };
    let size_at = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize
    };
    let (compressed_len, raw_len) = (size_at(17), size_at(21));
    if compressed_len > MAX_BLOCK_LEN
        || raw_len > MAX_BLOCK_LEN
        || compressed_len < HEADER_LEN - CHECKSUM_LEN
    {
        return Err(Failure::new(
            39,
            "TOO_LARGE_SIZE_COMPRESSED",
            format_args!(
                "A compressed block says it has {compressed_len} bytes, {raw_len} unpacked: the body is no stream of compressed blocks"
            ),
        ));
    }
    let block_len = CHECKSUM_LEN + compressed_len;
    let Some(block) = bytes.get(..block_len) else {
        return Ok(None);
    };
    let mut checksum = [0; CHECKSUM_LEN];
    checksum.copy_from_slice(&block[..CHECKSUM_LEN]);
    if u128::from_le_bytes(checksum)
        != cityhash_rs::cityhash_102_128(&block[CHECKSUM_LEN..]).rotate_right(64)
    {
        return Err(Failure::new(
            40,
            "CHECKSUM_DOESNT_MATCH",
            format_args!(
                "Checksum doesn't match: a compressed block of {block_len} bytes was damaged on its way"
            ),
        ));
    }
    let data = &block[HEADER_LEN..];
    match header[CHECKSUM_LEN] {
        METHOD_NONE => raw.extend_from_slice(data),
        METHOD_LZ4 => {
            let start = raw.len();
            raw.resize(start + raw_len, 0);
            let written = lz4_flex::block::decompress_into(data, &mut raw[start..])
                .map_err(|error| Failure::new(271, "CANNOT_DECOMPRESS", error))?;
            if written != raw_len {
                return Err(Failure::new(
                    271,
                    "CANNOT_DECOMPRESS",
                    format_args!("A block of {raw_len} bytes unpacked to {written}"),
                ));
            }
        }
        other => {
            return Err(Failure::new(
                89,
                "UNKNOWN_COMPRESSION_METHOD",
                format_args!(
                    "Unknown compression method {other:#04x}: send LZ4 (0x82) or plain (0x02) blocks"
                ),
            ));
        }
    }
    Ok(Some(block_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(method: u8, data: &[u8], raw_len: usize) -> Vec<u8> {
        let mut body = vec![method];
        body.extend_from_slice(&u32::try_from(data.len() + 9).expect("small").to_le_bytes());
        body.extend_from_slice(&u32::try_from(raw_len).expect("small").to_le_bytes());
        body.extend_from_slice(data);
        let mut block = cityhash_rs::cityhash_102_128(&body)
            .rotate_right(64)
            .to_le_bytes()
            .to_vec();
        block.extend_from_slice(&body);
        block
    }

    fn stream() -> (Vec<u8>, Vec<u8>) {
        let first = vec![7_u8; 5000];
        let second = b"plain".to_vec();
        let mut bytes = block(METHOD_LZ4, &lz4_flex::block::compress(&first), first.len());
        bytes.extend(block(METHOD_NONE, &second, second.len()));
        (bytes, [first, second].concat())
    }

    #[test]
    fn blocks_survive_any_cut() {
        let (bytes, raw) = stream();
        for step in [1, 3, 24, 25, 26, bytes.len()] {
            let mut decoder = BlockDecoder::default();
            let mut out = Vec::new();
            for piece in bytes.chunks(step) {
                out.extend(decoder.push(piece).expect("good blocks"));
            }
            decoder.finish().expect("ends between blocks");
            assert_eq!(out, raw, "pieces of {step}");
        }
    }

    #[test]
    fn damage_is_named() {
        let (bytes, _) = stream();
        let mut flipped = bytes.clone();
        flipped[40] ^= 1;
        let cases = [
            (flipped, 40),
            (block(0x90, b"zstd", 9), 89),
            (block(METHOD_LZ4, b"\xff\xff\xff", 9), 271),
            (vec![0; 64], 39),
        ];
        for (bytes, code) in cases {
            assert_eq!(
                BlockDecoder::default()
                    .push(&bytes)
                    .expect_err("damaged")
                    .code,
                code
            );
        }
        let mut decoder = BlockDecoder::default();
        decoder
            .push(&bytes[..bytes.len() - 1])
            .expect("first block");
        assert_eq!(decoder.finish().expect_err("cut").code, 33);
    }
}
